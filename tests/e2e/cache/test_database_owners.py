"""Databases that a tenant had once (`cache.databases` was lowered, or it has left): its keys there are nobody else's."""
import subprocess

import pytest
import redis
from cache_stack import ADMINISTRATOR, CacheStack
from support.paths import partywall_binary


@pytest.fixture
def lowered():
    """acme had the databases 1 and 2, with keys in both; it has one now."""
    stack = CacheStack(databases=2).start()
    first, second = stack.client("acme"), stack.client("acme", db=1)
    first.set("kept", "acme's")
    second.set("secret", "acme's")
    first.close(), second.close()
    stack.change_tenant("acme", overrides={"cache": {"databases": 1}})
    yield stack
    assert stack.stop() == 0, "the daemon did not end cleanly"


def cache(stack, *words):
    return subprocess.run([partywall_binary(), "cache", *words, "-f", stack._file, "--administrator", ADMINISTRATOR,
                           "--password-file", stack.folder / "administrator"], capture_output=True, text=True, timeout=60)


def at(stack, database):
    return redis.Redis(port=stack.redis.port, username=ADMINISTRATOR, password=stack.passwords["administrator"], db=database,
                       decode_responses=True)


def test_what_is_left_behind_is_told_and_comes_back(lowered):
    for _ in range(2):
        done = cache(lowered, "provision")
        assert done.returncode == 0 and "database 2 has 1 keys of tenant acme, which nobody can reach any more" in done.stderr
    with pytest.raises(redis.ResponseError, match="out of range"):
        lowered.client("acme", db=1).get("secret")
    lowered.change_tenant("acme", overrides={})
    done = cache(lowered, "provision")
    assert done.returncode == 0 and not done.stderr
    assert lowered.client("acme", db=1).get("secret") == "acme's"


@pytest.mark.parametrize("acme_is", ["there", "gone"])
def test_no_neighbour_gets_it_while_keys_are_in_it(lowered, acme_is):
    assert cache(lowered, "provision").returncode == 0
    users = set(lowered.administrator().acl_users())
    globex = next(one for one in lowered.platform["tenants"] if one["slug"] == "globex")
    globex |= {"cache_database": 2}
    name = "acme"
    if acme_is == "gone":
        lowered.platform["tenants"] = [one for one in lowered.platform["tenants"] if one["slug"] != "acme"]
        name = lowered.tenant_user("acme")[0].removeprefix("partywall-tenant-")
    lowered._write()
    done = cache(lowered, "provision")
    assert done.returncode == 1 and f"globex cannot have database 2: 1 keys of tenant {name} are still in it" in done.stderr
    assert set(lowered.administrator().acl_users()) == users, "nothing was changed"
    at(lowered, 2).flushdb()
    assert cache(lowered, "provision").returncode == 0


def test_erasing_the_tenant_reaches_it(lowered):
    assert cache(lowered, "provision").returncode == 0
    lowered.client("globex").set("neighbour", 1)
    lowered.change_tenant("acme", status="suspended")
    done = cache(lowered, "erase", "--tenant", "acme", "--yes")
    assert done.returncode == 0 and '"keys":0' in done.stdout, done
    assert at(lowered, 1).dbsize() == at(lowered, 2).dbsize() == 0
    assert lowered.client("globex").get("neighbour") == "1"


def test_nobody_can_log_in_as_the_user_that_says_whose_they_are(lowered):
    assert cache(lowered, "provision").returncode == 0
    user = lowered.administrator().acl_getuser("partywall-databases")
    assert "off" in user["flags"] and not user["passwords"] and user["commands"] in (["-@all"], "-@all", [])
    for password in ("", "x"):
        with pytest.raises(redis.RedisError):
            redis.Redis(port=lowered.redis.port, username="partywall-databases", password=password).ping()


def test_a_redis_that_was_there_before_is_taken_over_with_its_keys():
    """A customer's own Redis becomes a cell: nobody else had the keys in it."""
    stack = CacheStack()
    stack.redis.start()
    stack.redis.start = lambda: None  # it is there
    try:
        redis.Redis(port=stack.redis.port, db=1).set("mine", 1)
        stack.start()
        assert stack.client("acme").get("mine") == "1"
    finally:
        stack.stop()
