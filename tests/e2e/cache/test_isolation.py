"""What one tenant may try to reach another; all of it must fail."""
import json
import pathlib
import re
import time

import pytest
import redis
from cache_stack import DOOR_USER, TENANTS
from resp import ErrorReply, Resp, request
from support.paths import REPOSITORY

POLICY = pathlib.Path(REPOSITORY) / "tools" / "cache_commands"


@pytest.fixture
def secret(cache):
    """Globex has something that acme must not see or change."""
    globex = cache.client("globex")
    globex.set("k", "globex's")
    globex.rpush("queue", "globex's")
    yield "globex's"
    raw, prefix = cache.administrator("globex"), cache.prefix("globex")
    assert raw.get(prefix + "k") == "globex's" and raw.llen(prefix + "queue") == 1


def test_each_sees_only_its_own_keys(cache, secret):
    acme = cache.client("acme")
    acme.set("k", "acme's")
    assert acme.get("k") == "acme's" and acme.keys() == ["k"] and acme.dbsize() == 1 and acme.randomkey() == "k"
    assert acme.scan()[1] == ["k"] and acme.info()["db0"]["keys"] == 1
    acme.flushall()
    acme.set("k", 1)
    acme.flushdb()
    assert acme.dbsize() == 0


@pytest.mark.parametrize("words", [
    ["SELECT", "2"], ["SELECT", "-1"], ["SWAPDB", "1", "2"], ["MOVE", "k", "2"], ["COPY", "k", "k2", "DB", "2"],
    ["MIGRATE", "127.0.0.1", "6379", "k", "2", "100"], ["CONFIG", "SET", "maxmemory", "1"],
    ["CONFIG", "REWRITE"], ["DEBUG", "SLEEP", "0"], ["MONITOR"], ["SHUTDOWN", "NOSAVE"], ["SCRIPT", "KILL"],
    ["FUNCTION", "LOAD", "#!lua name=x\nredis.register_function('f', function() return 1 end)"], ["FUNCTION", "FLUSH"],
    ["FCALL", "f", "0"], ["CLIENT", "TRACKING", "ON", "BCAST"], ["CLIENT", "TRACKING", "ON"],
    ["CLIENT", "PAUSE", "1000"], ["ACL", "SETUSER", "x", "on"], ["ACL", "LIST"],
    ["ACL", "GETUSER", "default"], ["REPLICAOF", "127.0.0.1", "1"], ["SLAVEOF", "127.0.0.1", "1"],
    ["PSYNC", "?", "-1"], ["SYNC"], ["SAVE"], ["BGSAVE"], ["MODULE", "LIST"], ["RESTORE", "k", "0", "x"], ["CLUSTER", "SLOTS"],
    ["OBJECT|ENCODING", "k"], ["NOSUCHCOMMAND"], ["MEMORY", "STATS"], ["WAIT", "0", "0"], ["LASTSAVE"],
])
def test_refused_commands(cache, secret, words):
    with Resp(cache.port, "acme", cache.secrets["acme"]) as client:
        for spelling in (words, [words[0].lower(), *words[1:]]):
            assert isinstance(client.ask(*spelling), ErrorReply)
        client.send(b"MULTI\r\n" + request(*words) + b"EXEC\r\n")
        assert client.read() == b"OK" and isinstance(client.read(), ErrorReply)
        assert client.read().startswith("EXECABORT")
        assert client.ask("PING") == b"PONG"


@pytest.mark.parametrize("call", [
    "'SELECT', '2'", "'SWAPDB', '1', '2'", "'MOVE', 'k', '2'", "'COPY', 'k', 'k2', 'DB', '2'", "'FLUSHALL'", "'AUTH', 'x', 'y'",
    "'CONFIG', 'SET', 'maxmemory', '1'", "'CLIENT', 'TRACKING', 'ON'", "'RESET'", "'SCRIPT', 'FLUSH'", "'FUNCTION', 'FLUSH'",
    "'ACL', 'LIST'", "'INFO'", "'DEBUG', 'JMAP'", "'CLIENT', 'LIST'",
    "'PUBLISH', 'news', 'x'", "'PUBLISH', 'tenant:00000000-0000-4000-8000-000000000002:news', 'x'",
])
def test_scripts_cannot_do_either(cache, secret, call):
    acme = cache.client("acme")
    acme.set("k", "acme's")
    for function in ("call", "pcall"):
        with pytest.raises(redis.ResponseError):
            acme.eval(f"return redis.{function}({call})", 0)
    pipe = acme.pipeline()
    pipe.eval(f"return redis.call({call})", 0)
    pipe.get("k")
    assert isinstance(pipe.execute(raise_on_error=False)[0], redis.ResponseError)
    assert acme.get("k") == "acme's"


def test_a_script_stays_in_its_database(cache, secret):
    acme = cache.client("acme")
    acme.eval("redis.pcall('SELECT', '2') redis.call('SET', KEYS[1], 'acme was here')", 1, "k")
    assert acme.get("k") == "acme was here"


def test_reset_and_auth_never_reach_redis(cache, secret):
    with Resp(cache.port, "acme", cache.secrets["acme"]) as client:
        client.ask("SET", "k", "acme's")
        assert client.ask("RESET") == b"RESET"
        assert client.ask("GET", "k").startswith("NOAUTH")
    with Resp(cache.port, "acme", cache.secrets["acme"]) as client:
        user, password = cache.tenant_user("globex")
        for login in ([user, password], ["default", ""], [DOOR_USER, cache.passwords["door"]], ["globex", cache.secrets["acme"]]):
            assert client.ask("AUTH", *login).startswith("WRONGPASS")
            assert client.ask("GET", "k").startswith("NOAUTH")


def test_a_refused_context_ends_the_login(cache, secret):
    good, expired = cache.context("acme"), cache.context("acme", ttl="1s")
    time.sleep(1.5)
    forged = good[:20] + ("A" if good[20] != "A" else "B") + good[21:]
    for bad in (expired, forged, cache.context("acme", audience="sql"), good + "x", "pw1.", ""):
        with Resp(cache.port, "app", cache.context("globex")) as client:
            client.send(request("AUTH", "app", bad) + request("GET", "k"))
            assert client.read().startswith("WRONGPASS") and client.read().startswith("NOAUTH")
    with Resp(cache.port) as client:
        assert client.ask("AUTH", "acme", cache.context("globex")).startswith("WRONGPASS")


def test_channels_are_the_tenants_own(cache):
    acme, globex = cache.client("acme"), cache.client("globex")
    listeners = []
    for subscribe in ("subscribe", "psubscribe"):
        for name in ("news", "*", "tenant:00000000-0000-4000-8000-000000000002:news", "tenant:*", "__keyspace@2__:*", "?*"):
            listener = acme.pubsub(ignore_subscribe_messages=True)
            getattr(listener, subscribe)(name)
            listener.get_message(timeout=5)
            listeners.append(listener)
    assert globex.publish("news", "x") == 0
    assert globex.execute_command("SPUBLISH", "news", "x") == 0
    administrator = cache.administrator()
    administrator.publish("news", "raw")
    administrator.publish("tenant:00000000-0000-4000-8000-000000000002:news", "globex's")
    assert [message for listener in listeners for message in [listener.get_message(timeout=0.05)] if message] == []
    assert globex.pubsub_channels() == [] and globex.pubsub_channels("*acme*") == [] and globex.pubsub_numsub("news") == [("news", 0)]
    for listener in listeners:
        listener.close()


def test_a_client_that_leaves_leaves_its_replies_to_nobody(cache, secret):
    acme = cache.client("acme")
    acme.set("big", "acme's" * 20_000)
    for round_number in range(60):
        leaving = Resp(cache.port, "acme", cache.secrets["acme"])
        leaving.send(request("GET", "big") * (1 + round_number % 20) + request("ECHO", f"left{round_number}"))
        if round_number % 3 == 0:
            leaving.socket.recv(1000)
        leaving.close()
        with Resp(cache.port, "acme", cache.secrets["acme"]) as staying:
            staying.send(b"".join(request("ECHO", f"{round_number}.{n}") for n in range(20)))
            assert [staying.read() for _ in range(20)] == [f"{round_number}.{n}".encode() for n in range(20)]
        with Resp(cache.port, "globex", cache.secrets["globex"]) as neighbour:
            assert neighbour.ask("GET", "k") == b"globex's"


def test_a_blocked_client_that_leaves_takes_nothing_along(cache):
    for _ in range(5):
        leaving = Resp(cache.port, "acme", cache.secrets["acme"])
        leaving.send(request("BLPOP", "queue", 0))
        time.sleep(0.05)
        leaving.close()
    time.sleep(0.2)
    acme = cache.client("acme")
    acme.rpush("queue", "job")
    time.sleep(0.1)
    assert acme.lrange("queue", 0, -1) == ["job"]


def test_a_transaction_that_is_left_open_is_gone(cache):
    for end in ("SET k half", "WATCH k"):
        with Resp(cache.port, "acme", cache.secrets["acme"]) as leaving:
            leaving.send(b"WATCH k\r\nMULTI\r\n" + end.encode() + b"\r\n")
            for _ in range(3):
                leaving.read()
    acme = cache.client("acme")
    with acme.pipeline(transaction=True) as pipe:
        assert pipe.set("k", "whole").get("k").execute() == [True, "whole"]


@pytest.mark.parametrize("opening", [
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"host: x\r\n"])
def test_http_is_refused(cache, opening):
    with Resp(cache.port) as client:
        client.send(opening + f"AUTH acme {cache.secrets['acme']}\r\nSET k http\r\n".encode())
        assert client.is_closed()
    assert cache.administrator("acme").get(cache.prefix("acme") + "k") is None


# --- the second wall: what Redis itself allows the door's users
def test_the_default_user_is_off(cache):
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=cache.redis.port).ping()


def test_the_doors_user_can_do_nothing_by_itself(cache, secret):
    door = redis.Redis(port=cache.redis.port, username=DOOR_USER, password=cache.passwords["door"])
    for words in (["GET", "k"], ["KEYS", "*"], ["CONFIG", "GET", "*"], ["FLUSHALL"], ["ACL", "LIST"], ["EVAL", "return 1", "0"], ["PUBLISH", "a", "b"]):
        with pytest.raises(redis.ResponseError, match="no permissions|NOPERM|permission"):
            door.execute_command(*words)


def test_the_subscribers_user_can_only_subscribe_and_ask_for_channels(cache, secret):
    user = redis.Redis(port=cache.redis.port, username="partywall-subscriber", password=cache.derived("partywall cache subscriber"))
    for words in (["GET", "k"], ["PUBLISH", "a", "b"], ["PUBSUB", "NUMPAT"], ["SELECT", "2"], ["KEYS", "*"],
                  ["EVAL", "return 1", "0"]):
        with pytest.raises(redis.ResponseError):
            user.execute_command(*words)


def policy_of_commands():
    for line in (POLICY / "policy.txt").read_text().splitlines():
        match = re.fullmatch(r"(?!reply |grow |lookup )(?:deny )?([^:]+): (.+)", line.split("#")[0].strip())
        for name in match[2].split() if match else ():
            yield name, line.startswith("deny"), match[1]


def test_redis_refuses_the_tenants_user_what_the_door_refuses(cache):
    user, _ = cache.tenant_user("acme")
    administrator = cache.administrator()
    commands = json.loads((POLICY / "redis-7.0.json").read_text())["commands"]
    arity = {name: row["arity"] for name, row in commands.items()}
    answered_by_the_door = {"auth", "hello", "reset", "quit", "select", "info", "role", "whoami", "config_get", "config_set", "client",
                            "cluster_off", "script_flush", "function_list", "slow_log", "latency", "memory", "pubsub", "channels", "channel_counts", "copy", "move",
                            "subscribe", "unsubscribe"}
    checked = 0
    for name, denied, kind in policy_of_commands():
        if "|" not in name and any(other.startswith(name + "|") for other in arity):
            continue  # a container is nothing without a sub-command
        if name not in commands:
            continue  # of a newer Redis than the one that runs here
        if "no_auth" in commands[name]["flags"]:
            # AUTH, HELLO, RESET, QUIT: Redis never refuses them to anybody. Here the door is the only wall;
            # scripts cannot call them.
            assert kind in ("auth", "hello", "reset", "quit") and "noscript" in commands[name]["flags"]
            continue
        words = name.split("|")
        words += [cache.prefix("acme") + "1"] * (abs(arity[name]) - len(words))
        answer = administrator.execute_command("ACL", "DRYRUN", user, *words)
        about_all_keys = kind in ("keyspace", "flush")
        forbidden = (denied or kind in answered_by_the_door or name == "flushall" or
                     cache.mode == "prefix" and about_all_keys)
        if forbidden:
            assert "has no permissions to run" in answer, f"Redis lets a tenant's user do {name}"
            checked += 1
        elif kind != "publish":
            assert answer == "OK", f"Redis refuses {name}: {answer}"
    assert checked > 100


def test_a_removed_tenant_loses_its_user(own_stack):
    user, _ = own_stack.tenant_user("globex")
    assert user in own_stack.administrator().acl_users()
    own_stack.provision()  # again: nothing changes
    assert user in own_stack.administrator().acl_users()
    own_stack.platform["tenants"] = [t for t in own_stack.platform["tenants"] if t["slug"] != "globex"]
    own_stack.change_tenant("acme")
    own_stack.provision()
    users = own_stack.administrator().acl_users()
    assert user not in users and own_stack.tenant_user("acme")[0] in users
    with Resp(own_stack.port) as client:
        assert client.ask("AUTH", "globex", own_stack.secrets["globex"]).startswith("WRONGPASS")


def test_tenants_are_what_the_test_thinks():
    assert set(TENANTS) == {"acme", "globex", "slow"}
