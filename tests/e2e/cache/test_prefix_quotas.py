"""Quotas where tenants share one database: keys are counted by the names in an index, which no tenant can reach."""
import time

import pytest
import redis
from cache_stack import ADMINISTRATOR, CacheStack, tenant_id
from resp import Resp
from support import sentinel_set
from test_transfer import run

KEYS = 200


def wait_for(ready, what):
    sentinel_set.wait_for(ready, what, patience=120)


QUOTAS = {"acme": {"keys": KEYS, "megabytes": 4, "at_quota": "refuse"},
          "globex": {"keys": KEYS, "megabytes": 4, "at_quota": "evict"}}


def with_quotas(stack):
    for tenant in stack.platform["tenants"]:
        tenant["overrides"] = {"cache": dict(QUOTAS.get(tenant["slug"], {"keys": 100_000, "megabytes": 1_024})),
                               "cache_rate": {"per_second": 10_000_000, "burst": 10_000_000}}
    return stack


@pytest.fixture(scope="module")
def running():
    stack = with_quotas(CacheStack(mode="prefix")).start()
    yield stack
    assert stack.stop() == 0, "the daemon did not end cleanly"


@pytest.fixture
def shared(running):
    for slug in ("acme", "globex", "slow"):
        running.empty(slug)
    return running


def keys_of(stack, slug):
    return sum(key.startswith(stack.prefix(slug)) for key in stack.administrator().keys())


def index(stack, slug):
    return "partywall-keys:" + stack.prefix(slug)


def names(stack, slug):
    return stack.administrator().smembers(index(stack, slug))


def fill(client, count, start="key"):
    pipeline = client.pipeline(transaction=False)
    for n in range(count):
        pipeline.set(f"{start}:{n}", "value")
    return [answer for answer in pipeline.execute(raise_on_error=False) if answer is True]


def over_quota():
    return pytest.raises(redis.ResponseError, match="OOM command not allowed")


def succeeds(write):
    def attempt():
        try:
            return write()
        except redis.ResponseError as error:
            assert str(error).startswith("OOM")
            return False
    return attempt


def test_every_command_that_makes_a_key_is_written_down(shared):
    acme = shared.client("acme")
    acme.set("a", 1)
    acme.mset({"b": 1, "c\r\n\0": 2})
    acme.lpush("list", 3, 1, 2)
    acme.lmove("list", "list2", "LEFT", "RIGHT")
    acme.sort("list", store="sorted")
    acme.sort("list", by="nosuch*", store="sorted by pattern")
    acme.sadd("s", 1)
    acme.sunionstore("union", "s", "missing")
    acme.zadd("z", {"m": 1})
    acme.zrangestore("zr", "z", 0, -1)
    acme.geoadd("geo", (1, 1, "here"))
    acme.georadius("geo", 1, 1, 10, "km", store="near")
    acme.bitop("NOT", "bits", "a")
    acme.rename("b", "renamed")
    acme.xgroup_create("stream", "g", mkstream=True)
    acme.eval("return redis.call('SET', KEYS[1], 1)", 1, "by script")
    acme.pipeline(transaction=True).set("in transaction", 1).hset("h", "f", 1).execute()
    with Resp(shared.port, "acme", shared.secrets["acme"]) as inline:
        inline.send(b"SET inline 1\r\n")
        inline.read()
    made = {key[len(shared.prefix("acme")):] for key in shared.stored() if key.startswith(shared.prefix("acme"))}
    assert {"sorted by pattern", "near", "renamed", "in transaction", "inline", "c\r\n\0"} <= made
    # Those that are gone again may be there too.
    wait_for(lambda: made <= names(shared, "acme"), "all names in the index")
    assert names(shared, "globex") == set() == names(shared, "slow")


def test_keys_that_have_expired_make_room(shared):
    acme = shared.client("acme")
    pipeline = acme.pipeline(transaction=False)
    for n in range(KEYS):
        pipeline.set(f"short:{n}", 1, px=300)
    assert pipeline.execute() == [True] * KEYS
    wait_for(succeeds(lambda: acme.set("after", 1)), "room after they have expired")
    assert len(fill(acme, KEYS - 1)) >= KEYS * 0.9 and keys_of(shared, "acme") <= KEYS


def test_what_a_client_removes_is_room_for_it_at_once(shared):
    acme = shared.client("acme")
    assert len(fill(acme, KEYS)) == KEYS
    with over_quota():
        acme.set("one more", 1)
    for n in range(20):
        acme.delete(f"key:{n}")
        assert acme.set(f"new:{n}", 1)
        with over_quota():
            acme.set("one more", 1)
    acme.rename("key:50", "key:51")
    assert acme.set("in its place", 1) and keys_of(shared, "acme") == KEYS


def test_no_tenant_reaches_an_index(shared):
    globex, acme = shared.client("globex"), shared.client("acme")
    fill(globex, 50)
    wait_for(lambda: len(names(shared, "globex")) == 50, "the index")
    theirs = index(shared, "globex")
    for words in (["DEL", theirs], ["SREM", theirs, "key:1"], ["SADD", theirs, "x"], ["SMEMBERS", theirs], ["EXISTS", theirs], ["RENAME", theirs, "x"]):
        try:
            assert acme.execute_command(*words) in (0, 1, {"x"})
        except redis.ResponseError as error:
            assert "no such key" in str(error)
    for own in ("acme", "globex"):
        for call in ("'SREM', ARGV[1], 'key:1'", "'DEL', ARGV[1]", "'SCARD', ARGV[1]"):
            with pytest.raises(redis.ResponseError, match="can't access|permissions"):
                acme.eval(f"return redis.call({call})", 0, index(shared, own))
    assert len(names(shared, "globex")) == 50 and acme.dbsize() == len(acme.keys()) <= 1
    assert not [key for key in acme.scan_iter() if "partywall-keys" in key and key != theirs]


def test_a_full_tenant_costs_its_neighbours_nothing(shared):
    """Neither their keys, nor their room, nor does it learn anything of them."""
    acme, globex, slow = (shared.client(slug) for slug in ("acme", "globex", "slow"))
    fill(slow, 1_000)
    fill(acme, KEYS)
    for n in range(10):
        assert len(fill(globex, KEYS, f"round {n}")) == KEYS, "evicts its own"
    with pytest.raises(redis.ResponseError) as refused:
        acme.set("one more", 1)
    assert f"tenant acme has {KEYS} keys" in str(refused.value) and tenant_id("globex") not in str(refused.value)
    assert keys_of(shared, "slow") == 1_000 and keys_of(shared, "acme") == KEYS and keys_of(shared, "globex") <= KEYS
    assert slow.set("more", 1), "a neighbour that is full is not in its way"
    for n in range(40):
        globex.set(f"big{n}", "x" * 200_000)
    assert keys_of(shared, "slow") == 1_001 and keys_of(shared, "acme") == KEYS


def test_what_nobody_has_written_down_is_found(shared):
    """Scripts that build names, imports, a door that was killed."""
    acme, raw = shared.client("acme"), shared.administrator()
    acme.eval("for n = 1, ARGV[1] do redis.call('SET', KEYS[1] .. n, 1) end", 1, "built:", KEYS * 2)
    wait_for(lambda: len(names(shared, "acme")) >= KEYS * 2, "the survey")
    with over_quota():
        acme.set("one more", 1)
    raw.sadd(index(shared, "slow"), *(f"gone:{n}" for n in range(30)))
    wait_for(lambda: names(shared, "slow") == set(), "names without keys to go")
    globex = shared.client("globex")
    fill(globex, 100)
    raw.delete(index(shared, "globex"))
    wait_for(lambda: len(names(shared, "globex")) == 100, "the survey")


def test_the_user_of_the_indexes_can_do_little(shared):
    user = redis.Redis(port=shared.redis.port, username="partywall-index", password=shared.derived("partywall cache index"))
    assert user.scard(index(shared, "acme")) >= 0
    for words in (["GET", shared.prefix("acme") + "k"], ["SET", shared.prefix("acme") + "k", 1], ["DUMP", shared.prefix("acme") + "k"], ["SADD", "other", "x"],
                  ["KEYS", "*"], ["FLUSHDB"], ["CONFIG", "GET", "*"], ["ACL", "LIST"], ["SELECT", 1], ["SCRIPT", "FLUSH"], ["SMEMBERS", index(shared, "acme")]):
        with pytest.raises(redis.ResponseError, match="permission"):
            user.execute_command(*words)


def test_erasing_a_tenant_erases_what_was_written_down_about_it():
    stack = with_quotas(CacheStack(mode="prefix")).start()
    try:
        client = stack.client("acme")
        fill(client, 50)
        wait_for(lambda: len(names(stack, "acme")) == 50, "the index")
        stack.change_tenant("acme", status="suspended")
        run(stack, "erase", "acme", "--yes")
        left = [key for key in stack.administrator().keys() if tenant_id("acme") in key]
        assert left == [], [(key, len(names(stack, "acme"))) for key in left]
    finally:
        assert stack.stop() == 0


def test_before_provisioning_nothing_is_written_past_the_quota(shared):
    """Without the user that counts, writes that would have to be counted fail closed."""
    stack = with_quotas(CacheStack(mode="prefix")).start()
    try:
        administrator = redis.Redis(port=stack.redis.port, username=ADMINISTRATOR, password=stack.passwords["administrator"])
        administrator.acl_deluser("partywall-index")
        client = stack.client("acme")
        with pytest.raises(redis.ResponseError, match="cannot be reached|cannot be told"):
            for n in range(KEYS + 1):
                client.set(f"key:{n}", 1)
        assert client.get("key:0") is None and client.delete("x") == 0, "reading and removing go on"
        stack.provision()
        wait_for(lambda: attempt(client), "writes to go on")
    finally:
        stack.stop()


def attempt(client):
    try:
        return client.set("key", 1)
    except redis.ResponseError:
        time.sleep(0.1)
        return False
