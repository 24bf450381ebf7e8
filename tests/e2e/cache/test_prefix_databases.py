"""Several databases of tenants whose keys have prefixes, and what one may try there to reach another tenant."""
import pytest
import redis
from cache_stack import CacheStack, tenant_id
from resp import ErrorReply, Resp
from test_transfer import contents, run

DATABASES = 3


@pytest.fixture(scope="module")
def shared():
    stack = CacheStack(mode="prefix", databases=DATABASES).start()
    yield stack
    assert stack.stop() == 0


@pytest.fixture
def several(shared):
    shared.administrator().flushdb()
    return shared


def test_each_has_its_part_of_the_prefix(several):
    for slug in ("acme", "globex"):
        for number in range(DATABASES):
            client = several.client(slug, db=number)
            client.mset({"k": f"{slug} {number}", f"only {number}": 1})
            assert set(client.keys()) == {"k", f"only {number}"} and client.dbsize() == 2
            assert client.info()[f"db{number}"]["keys"] == 2 and client.randomkey() in ("k", f"only {number}")
            assert set(client.scan_iter()) == {"k", f"only {number}"}
    raw = several.administrator()
    assert raw.get(several.prefix("acme") + "k") == "acme 0" and raw.get(several.prefix("globex", 2) + "k") == "globex 2"
    for number in (DATABASES, 15, -1):
        with pytest.raises(redis.ResponseError, match="out of range"):
            several.client("acme", db=number).get("k")
    assert several.client("acme", db=1).flushdb()
    assert [several.client("acme", db=number).dbsize() for number in range(DATABASES)] == [2, 0, 2]
    assert several.client("acme", db=1).flushall()
    assert [several.client("acme", db=number).dbsize() for number in range(DATABASES)] == [0, 0, 0]
    assert [several.client("globex", db=number).get("k") for number in range(DATABASES)] == ["globex 0", "globex 1", "globex 2"]


def test_copy_and_move_stay_with_the_tenant(several):
    acme, second, globex = several.client("acme"), several.client("acme", db=1), several.client("globex", db=1)
    globex.set("k", "globex's")
    acme.set("k", "acme's", ex=1_000)
    assert acme.copy("k", "copied") and acme.copy("k", "k", destination_db=1) and not acme.copy("k", "k", destination_db=1)
    assert second.get("k") == "acme's" and 0 < second.ttl("k") <= 1_000
    second.rpush("list", 1, 2)
    assert second.move("list", 0) and acme.lrange("list", 0, -1) == ["1", "2"] and not second.exists("list")
    assert not second.move("list", 0) and not acme.move("k", 1)
    for words in (["COPY", "k", "k"], ["MOVE", "k", 0], ["COPY", "k", "x", "DB", DATABASES], ["MOVE", "k", DATABASES], ["SWAPDB", 0, 1],
                  ["COPY", "k", several.prefix("globex", 1) + "k", "DB", "0 "]):
        with pytest.raises(redis.ResponseError):
            acme.execute_command(*words)
    assert acme.copy("k", several.prefix("globex", 1) + "k", replace=True), "that is a name like any other"
    assert globex.get("k") == "globex's" and globex.dbsize() == 1
    user, password = several.tenant_user("acme")
    inside = redis.Redis(port=several.redis.port, username=user, password=password)
    for words in (["COPY", several.prefix("acme") + "k", several.prefix("acme") + "x", "DB", 5], ["MOVE", several.prefix("acme") + "k", 5]):
        with pytest.raises(redis.ResponseError, match="permission"):
            inside.execute_command(*words)
    for call in ("'COPY', KEYS[1], KEYS[1], 'DB', 5", "'MOVE', KEYS[1], 5", "'SELECT', 1", "'SWAPDB', 0, 1"):
        with pytest.raises(redis.ResponseError):
            acme.eval(f"return redis.call({call})", 1, "k")


def test_scripts_run_in_the_selected_database_and_reach_no_neighbour(several):
    globex = several.client("globex", db=1)
    globex.set("k", "globex's")
    for number in range(DATABASES):
        acme = several.client("acme", db=number)
        acme.eval("redis.call('SET', KEYS[1], ARGV[1])", 1, "k", number)
        assert acme.get("k") == str(number)
        for name in (several.prefix("globex", 1) + "k", f"tenant:{{{tenant_id('acme')}}}", f"tenant:{{{tenant_id('acme')}}}x:k", "k"):
            with pytest.raises(redis.ResponseError, match="can't access"):
                acme.eval("return redis.call('SET', ARGV[1], 1)", 1, "k", name)
    assert globex.get("k") == "globex's"


@pytest.mark.parametrize("protocol", [2, 3])
def test_transactions_blocking_commands_and_replies_with_keys(several, protocol):
    with Resp(several.port) as client, Resp(several.port, "acme", several.secrets["acme"]) as pusher:
        client.ask("HELLO", protocol, "AUTH", "acme", several.secrets["acme"])
        assert client.ask("SELECT", 1) == b"OK" and pusher.ask("SELECT", 1) == b"OK"
        client.ask("RPUSH", "l", 1)
        assert client.ask("BLPOP", "l", 0) == [b"l", b"1"]
        client.ask("XADD", "s", "1-0", "f", "v")
        entries = [[b"1-0", [b"f", b"v"]]]
        assert client.ask("XREAD", "STREAMS", "s", 0) == ([[b"s", entries]] if protocol == 2 else {"b's'": entries})
        assert client.ask("WATCH", "k") == b"OK" and isinstance(client.ask("SELECT", 2), ErrorReply)
        pusher.ask("SET", "k", 1)
        client.ask("MULTI")
        client.ask("GET", "k")
        assert client.ask("EXEC") is None, "the watched key of this database was changed"
        assert "no such key" in client.ask("RENAME", "none", "x")
        assert client.ask("OBJECT", "ENCODING", "none") is None
        client.ask("RPUSH", "numbers", 3, 1, 2)
        client.ask("MSET", "w_1", 30, "w_2", 20, "w_3", 10)
        assert client.ask("SORT", "numbers", "BY", "w_*", "STORE", "sorted") == 3
        assert client.ask("LRANGE", "sorted", 0, -1) == [b"3", b"2", b"1"]
        assert client.ask("GET", "s").startswith("WRONGTYPE")


@pytest.mark.parametrize("mode", ["database", "prefix"])
def test_all_of_them_are_exported_imported_and_erased(mode, tmp_path):
    stack = CacheStack(mode=mode, databases=DATABASES)
    stack.start()
    try:
        for number in range(DATABASES):
            stack.client("acme", db=number).mset({"k": number, f"only {number}": 1})
        stack.client("globex", db=1).set("mine", 1)
        before = [contents(stack.client("acme", db=number, decode_responses=False)) for number in range(DATABASES)]
        file = tmp_path / "acme.export"
        assert b"exported 6 keys" in run(stack, "export", "acme", "-o", file).stderr
        assert b"has 1 keys already" in run(stack, "import", "globex", "-i", file, check=False).stderr
        assert b"imported 6 keys" in run(stack, "import", "globex", "--merge", "-i", file).stderr
        after = [contents(stack.client("globex", db=number, decode_responses=False)) for number in range(DATABASES)]
        assert after[1].pop(b"mine") and after == before
        if mode == "prefix":
            # What a script has made, and what is left of a database that the limits do not grant any more.
            root = stack.prefix("acme")[:-1]
            stack.administrator().mset({f"{root}.9:k": 1, f"{root}.made up": 1, f"{root}x:nobody's": 1})
        stack.change_tenant("acme", status="suspended")
        erased = run(stack, "erase", "acme", "--yes")
        assert b'"keys":0' in erased.stdout and (b"erased 8 keys" if mode == "prefix" else b"erased 6 keys") in erased.stderr
        assert [stack.client("globex", db=number).dbsize() for number in range(DATABASES)] == [2, 3, 2]
        if mode == "prefix":
            assert stack.administrator().get(f"{root}x:nobody's") == "1"
    finally:
        assert stack.stop() == 0


def test_an_import_needs_the_databases_of_the_export(tmp_path):
    stack = CacheStack(mode="prefix")
    stack.platform["tenants"][0]["overrides"] = {"cache": {"databases": 2}}
    stack.start()
    try:
        stack.client("acme", db=1).set("k", 1)
        file = tmp_path / "acme.export"
        run(stack, "export", "acme", "-o", file)
        done = run(stack, "import", "globex", "-i", file, check=False)
        assert done.returncode != 0 and b"there are keys of database 1" in done.stderr
        assert stack.client("globex").dbsize() == 0
    finally:
        assert stack.stop() == 0
