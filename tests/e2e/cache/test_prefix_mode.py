"""What is special about tenants whose keys have prefixes, and what one may try there to reach another."""
import json
import subprocess

import pytest
import redis
from cache_stack import CacheStack, tenant_id
from resp import Resp
from support.paths import partywall_binary


@pytest.fixture
def acme(prefixed):
    return prefixed.client("acme")


@pytest.fixture
def neighbours(prefixed):
    """Keys of globex, and keys of nobody whose names look like acme's or like a prefix; all must stay as they are."""
    globex = prefixed.client("globex")
    globex.set("k", "globex's")
    globex.rpush("queue", "globex's")
    globex.zadd("places", {"x": 1})
    raw = prefixed.administrator()
    own = prefixed.prefix("acme")
    for name in (own[:-1], own[:-2] + "x}:k", own.replace("{", "").replace("}", "") + "k", "tenant:*:k", "k"):
        raw.set(name, "nobody's")

    def contents():
        return {key: raw.dump(key) for key in prefixed.stored() if not key.startswith(own)}
    before = contents()
    yield raw
    assert contents() == before


def test_keys_are_stored_with_the_prefix(prefixed, acme):
    acme.mset({"a": 1, "": 2, "tenant:{x}:y": 3, "k\r\n\0": 4})
    own = prefixed.prefix("acme")
    assert set(prefixed.stored()) == {own + "a", own, own + "tenant:{x}:y", own + "k\r\n\0"}
    assert set(acme.keys()) == {"a", "", "tenant:{x}:y", "k\r\n\0"}


def test_commands_about_all_keys(prefixed, acme, neighbours):
    assert acme.dbsize() == 0 and acme.keys() == [] and acme.randomkey() is None
    assert list(acme.scan_iter()) == [] and "db0" not in acme.info()
    acme.flushall()
    acme.mset({f"key:{n}": n for n in range(3_000)})
    acme.set("x*", 1)
    assert acme.dbsize() == 3_001 and acme.info()["db0"]["keys"] == 3_001
    assert sorted(acme.keys("key:1*")) == sorted(f"key:{n}" for n in range(3_000) if str(n).startswith("1"))
    assert sorted(acme.scan_iter(count=7)) == sorted(acme.keys())
    assert set(acme.scan_iter("key:?")) == {f"key:{n}" for n in range(10)}
    assert list(acme.scan_iter("x\\*")) == ["x*"] and acme.keys("x[*]") == ["x*"]
    assert acme.randomkey() in acme.keys()
    assert acme.scan(0, _type="list")[1] == []
    with pytest.raises(redis.ResponseError, match="cursor"):
        acme.execute_command("SCAN", "x")
    with pytest.raises(redis.ResponseError, match="syntax"):
        acme.execute_command("SCAN", "0", "MATCH")
    acme.flushdb()
    assert acme.dbsize() == 0


def test_random_keys_are_of_the_tenant(prefixed, acme, neighbours):
    names = [f"key:{n}" for n in range(20)]
    acme.mset({name: 1 for name in names})
    assert {acme.randomkey() for _ in range(200)} <= set(names)


@pytest.mark.parametrize("pattern", ["*", "?*", "[^a]*", "*}:*", "tenant:*", "../*", "\\", "[", "*k*", "\\*", "{*", ":*", "[a-z"])
def test_patterns_stay_within_the_tenant(prefixed, acme, neighbours, pattern):
    acme.set("mine", 1)
    for keys in (acme.keys(pattern), list(acme.scan_iter(pattern, count=1_000))):
        assert set(keys) <= {"mine"}
    for words in (["SCAN", "0", "MATCH", "*", "MATCH", pattern], ["SCAN", "0", "COUNT", "100000", "TYPE", "string", "MATCH", pattern]):
        assert set(acme.execute_command(*words)[1]) <= {"mine"}


@pytest.mark.parametrize("call", [
    "'GET', 'k'", "'GET', ARGV[1]", "'SET', ARGV[1], 'x'", "'DEL', ARGV[1]", "'KEYS', '*'", "'SCAN', '0'", "'DBSIZE'", "'RANDOMKEY'", "'FLUSHDB'",
    "'FLUSHALL'", "'RENAME', KEYS[1], ARGV[1]", "'SORT', KEYS[1], 'BY', 'tenant:*'", "'SORT', KEYS[1], 'GET', ARGV[1]",
    "'SORT', KEYS[1], 'STORE', ARGV[1]", "'COPY', ARGV[1], KEYS[1]", "'LMOVE', ARGV[2], KEYS[1], 'LEFT', 'LEFT'",
    "'GEORADIUS', KEYS[1], 1, 1, 1, 'm', 'STORE', ARGV[1]", "'EVAL', 'return 1', 0", "'OBJECT', 'ENCODING', ARGV[1]", "'XREAD', 'STREAMS', ARGV[1], 0",
    "'SELECT', '1'", "'MIGRATE', '127.0.0.1', 1, ARGV[1], 0, 1",
])
def test_scripts_reach_declared_keys_only(prefixed, acme, neighbours, call):
    acme.rpush("list", 1)
    theirs = prefixed.prefix("globex")
    with pytest.raises(redis.ResponseError, match="can't access|can't run|not allowed|insufficient"):
        acme.eval(f"return redis.call({call})", 1, "list", theirs + "k", theirs + "queue")
    assert acme.eval("return redis.call('LRANGE', KEYS[1], 0, -1)", 1, "list") == ["1"]


@pytest.mark.parametrize("words", [
    ["RENAME", "mine", "P:k"], ["RENAME", "P:k", "mine"], ["LMOVE", "P:queue", "mine2", "LEFT", "LEFT"], ["SORT", "list", "BY", "P:*", "GET", "P:k"],
    ["SORT", "list", "BY", "P:*", "STORE", "P:k"], ["SORT", "list", "STORE", "P:queue"], ["SORT", "P:queue"], ["SORT", "list", "GET", "P:*->f", "GET", "P:k*"],
    ["GEORADIUS", "geo", "1", "1", "1", "km", "STORE", "P:places"], ["GEORADIUS", "P:geo", "1", "1", "1", "km", "STORE", "STORE", "STORE", "P:places"],
    ["GEOSEARCHSTORE", "P:places", "geo", "FROMLONLAT", "1", "1", "BYRADIUS", "1", "km"], ["EVAL", "return redis.call('GET', KEYS[1])", "1", "P:k"],
    ["ZUNIONSTORE", "P:places", "1", "P:places"], ["XREAD", "COUNT", "STREAMS", "STREAMS", "P:k", "0"], ["BITOP", "OR", "P:k", "P:k", "mine"],
    ["MSET", "P:k", "x", "P:queue", "y"], ["UNLINK", "P:k"], ["OBJECT", "ENCODING", "P:k"], ["MEMORY", "USAGE", "P:k"], ["PFMERGE", "P:k"],
    ["TOUCH", "P:k"], ["LMPOP", "1", "P:queue", "LEFT"], ["EVAL", "return 1", "2", "P:k"], ["EVAL", "return redis.call('DEL', KEYS[1])", "1 ", "P:k"],
    ["SWAPDB", "0", "1"], ["MOVE", "mine", "1"], ["COPY", "mine", "P:k"], ["COPY", "mine", "mine2", "DB", "1"], ["SELECT", "1"],
    ["MIGRATE", "127.0.0.1", "1", "P:k", "0", "1"], ["FLUSHDB"], ["FLUSHALL", "SYNC"], ["DEL", "P:k", "P:queue", "P:places", "k"],
])
def test_names_with_a_neighbours_prefix_are_ones_own(prefixed, acme, neighbours, words):
    """P: stands for the neighbour's prefix; the fixture checks that the neighbour has everything as it was."""
    theirs = prefixed.prefix("globex")
    acme.set("mine", "1")
    acme.rpush("list", 1, 2)
    acme.geoadd("geo", (1, 1, "here"))
    answers = []
    with Resp(prefixed.port, "acme", prefixed.secrets["acme"]) as client:
        for transaction in (False, True):
            if transaction:
                client.ask("MULTI")
            answers.append(client.ask(*[word.replace("P:", theirs) for word in words]))
            if transaction:
                answers.append(client.ask("EXEC"))
    assert "globex's" not in str(answers)


def test_sort_by_patterns_of_ones_own(acme):
    acme.rpush("list", 1, 2, 3)
    acme.mset({"w_1": 30, "w_2": 20, "w_3": 10, "o_1": "a", "o_2": "b", "o_3": "c"})
    acme.hset("h_1", "f", 2)
    assert acme.sort("list", by="w_*") == ["3", "2", "1"]
    assert acme.sort("list", by="w_*", get=["#", "o_*", "none_*"], groups=True) == [("3", "c", None), ("2", "b", None), ("1", "a", None)]
    assert acme.sort("list", by="nosort", get="h_*->f") == ["2", None, None]
    assert acme.sort("list", by="w_*", store="sorted") == 3 and acme.lrange("sorted", 0, -1) == ["3", "2", "1"]
    with acme.pipeline() as pipe:
        assert pipe.sort("list", by="nosort").execute() == [["1", "2", "3"]]
    with acme.pipeline() as pipe, pytest.raises(redis.ResponseError, match="SORT with BY or GET"):
        pipe.sort("list", by="w_*").execute()


@pytest.mark.parametrize("protocol", [2, 3])
def test_replies_that_name_keys(prefixed, protocol):
    with Resp(prefixed.port) as client:
        client.ask("HELLO", protocol, "AUTH", "acme", prefixed.secrets["acme"])
        for name in ("l1", "l2", "l3", "l4"):
            client.ask("RPUSH", name, "v", "w")
        for name in ("z1", "z2", "z3"):
            client.ask("ZADD", name, 1, "m", 2, "n")
        client.ask("XADD", "s", "1-0", "f", "v")
        client.ask("XGROUP", "CREATE", "s", "g", "0")
        answers = [client.ask(*words) for words in (
            ["BLPOP", "none", "l1", 1], ["BRPOP", "l2", 1], ["LMPOP", 1, "l3", "LEFT"], ["BLMPOP", 1, 1, "l4", "LEFT"], ["BZPOPMIN", "z1", 1],
            ["ZMPOP", 1, "z2", "MIN"], ["BZMPOP", 1, 1, "z3", "MAX"], ["BLPOP", "none", "0.01"], ["LMPOP", 1, "none", "LEFT"])]
        assert [answer and answer[0] for answer in answers] == [b"l1", b"l2", b"l3", b"l4", b"z1", b"z2", b"z3", None, None]
        entries = [[b"1-0", [b"f", b"v"]]]
        for words in (["XREAD", "STREAMS", "s", "none", 0, 0], ["XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">"]):
            assert client.ask(*words) == ([[b"s", entries]] if protocol == 2 else {"b's'": entries})
        client.ask("MULTI")
        for words in (["XREAD", "STREAMS", "s", 0], ["GET", "s"], ["BLPOP", "l1", 0], ["XINFO", "CONSUMERS", "s", "nosuch"]):
            assert client.ask(*words) == b"QUEUED"
        stream, wrong, popped, group = client.ask("EXEC")
        assert stream == ([[b"s", entries]] if protocol == 2 else {"b's'": entries}) and popped == [b"l1", b"w"]
        assert wrong.startswith("WRONGTYPE") and group == "NOGROUP No such consumer group 'nosuch' for key name 's'"
        assert client.ask("XREADGROUP", "GROUP", "nosuch", "c", "STREAMS", "s", ">") == \
            "NOGROUP No such key 's' or consumer group 'nosuch' in XREADGROUP with GROUP option"


def test_a_second_wall_in_redis(prefixed, acme, neighbours):
    user, password = prefixed.tenant_user("acme")
    inside = redis.Redis(port=prefixed.redis.port, username=user, password=password)
    for words in (["GET", prefixed.prefix("globex") + "k"], ["GET", "k"], ["GET", prefixed.prefix("acme")[:-1]], ["KEYS", "*"], ["SCAN", "0"], ["DBSIZE"],
                  ["RANDOMKEY"], ["FLUSHDB"], ["SELECT", "1"], ["SORT", prefixed.prefix("acme") + "l", "BY", "*"]):
        with pytest.raises(redis.ResponseError):
            inside.execute_command(*words)
    keyspace = redis.Redis(port=prefixed.redis.port, username="partywall-keyspace", password=prefixed.derived("partywall cache keyspace"))
    assert keyspace.execute_command("SCAN", "0")
    for words in (["GET", "k"], ["DEL", "k"], ["KEYS", "*"], ["FLUSHDB"], ["EVAL", "return 1", "0"], ["DUMP", "k"], ["ACL", "LIST"], ["SELECT", "1"]):
        with pytest.raises(redis.ResponseError, match="permission"):
            keyspace.execute_command(*words)


def test_tags_and_spread_placement():
    stack = CacheStack(mode="prefix")
    acme, globex, _ = stack.platform["tenants"]
    acme["cache_tag"] = "a1"
    globex |= {"cache_tag": "a", "cache_placement": "spread"}
    stack.start()
    try:
        for slug in ("acme", "globex"):
            client = stack.client(slug)
            client.set("k", slug)
            assert client.get("k") == slug and client.keys() == ["k"] and client.dbsize() == 1
        assert set(stack.stored()) == {"tenant:{a1}:k", "tenant:a:k"}
        stack.client("acme").flushall()
        assert stack.stored() == ["tenant:a:k"]
    finally:
        assert stack.stop() == 0


@pytest.mark.parametrize("change, problem", [
    ({"cache_tag": tenant_id("globex")}, "begin with"), ({"cache_tag": "a:b"}, "is not a tag"), ({"cache_tag": "a}b"}, "is not a tag"),
    ({"cache_tag": "*"}, "is not a tag"), ({"cache_database": 1}, "by prefixes"), ({"cache_placement": "odd"}, "tagged"),
])
def test_placements_that_would_mix_tenants_are_refused(tmp_path, change, problem):
    stack = CacheStack(mode="prefix")
    stack.platform["tenants"][0] |= change
    try:
        for name, value in stack.passwords.items():
            (stack.folder / name).write_text(value)
        stack._write()
        check = subprocess.run([partywall_binary(), "check", stack._file], capture_output=True, text=True, timeout=60)
        assert check.returncode != 0 and problem in check.stdout + check.stderr, json.dumps(change)
    finally:
        stack.stop()
