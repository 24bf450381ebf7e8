"""What applications do, with the clients that they use."""
import shutil
import subprocess
import threading

import pytest
import redis
from resp import Resp


def test_the_usual_commands_work(cache):
    acme = cache.client("acme")
    assert acme.ping() and acme.set("a", "1", ex=100) and acme.get("a") == "1" and 0 < acme.ttl("a") <= 100
    acme.hset("h", mapping={"x": 1, "y": 2})
    assert acme.hgetall("h") == {"x": "1", "y": "2"}
    acme.rpush("l", "c", "a", "b")
    assert acme.sort("l", alpha=True) == ["a", "b", "c"]
    acme.zadd("z", {"one": 1, "two": 2})
    assert acme.zrange("z", 0, -1, withscores=True) == [("one", 1.0), ("two", 2.0)]
    assert sorted(acme.scan_iter()) == sorted(acme.keys("*")) == ["a", "h", "l", "z"]
    assert acme.dbsize() == 4 and acme.object("encoding", "a") == "int" and acme.memory_usage("a") > 0


def test_binary_and_large_values_pass_unchanged(cache):
    acme = cache.client("acme", decode_responses=False)
    for value in (bytes(range(256)), b"\r\n$1\r\n", b"", b"x" * 3_000_000):
        acme.set(b"k\r\n\0", value)
        assert acme.get(b"k\r\n\0") == value


def test_pipelines_and_transactions(cache):
    acme = cache.client("acme")
    pipe = acme.pipeline(transaction=False)
    for number in range(5000):
        pipe.set(f"k{number}", number).get(f"k{number}")
    assert pipe.execute() == [value for number in range(5000) for value in (True, str(number))]
    with acme.pipeline(transaction=True) as pipe:
        assert pipe.incr("n").incr("n").execute() == [1, 2]

    def add_five(pipe):
        now = int(pipe.get("n"))
        pipe.multi()
        pipe.set("n", now + 5)

    assert acme.transaction(add_five, "n") == [True]
    assert acme.get("n") == "7"


def test_a_watched_key_that_changes_aborts(cache):
    acme, other = cache.client("acme"), cache.client("acme")
    with acme.pipeline() as pipe:
        pipe.watch("k")
        other.set("k", "1")
        pipe.multi()
        pipe.set("k", "2")
        with pytest.raises(redis.WatchError):
            pipe.execute()
    assert acme.get("k") == "1"


def test_scripts(cache):
    acme = cache.client("acme")
    add = acme.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    assert add(keys=["n"], args=[3]) == 3 and add(keys=["n"], args=[4]) == 7
    # Names that the script makes up itself: only a database of one's own can have those.
    if cache.mode == "database":
        acme.eval("redis.call('SET', 'made:' .. ARGV[1], 'x')", 0, "up")
        assert acme.get("made:up") == "x"
    with acme.lock("lock", timeout=5):
        assert acme.exists("lock")


def test_blocking_commands_and_streams(cache):
    acme, other = cache.client("acme"), cache.client("acme")
    popped = []
    thread = threading.Thread(target=lambda: popped.append(acme.blpop("queue", timeout=10)))
    thread.start()
    for number in range(100):
        other.set("busy", number)
    other.rpush("queue", "job")
    thread.join()
    assert popped == [("queue", "job")]
    assert acme.blpop("nothing", timeout=1) is None
    other.xgroup_create("s", "g", mkstream=True)
    other.xadd("s", {"field": "value"})
    ((name, ((identity, fields),)),) = acme.xreadgroup("g", "c", {"s": ">"}, block=1000)
    assert (name, fields) == ("s", {"field": "value"}) and other.xack("s", "g", identity) == 1


def test_publish_and_subscribe(cache):
    listener = cache.client("acme").pubsub(ignore_subscribe_messages=True)
    listener.subscribe("news")
    listener.psubscribe("jobs.*")
    while listener.subscribed and not cache.client("acme").pubsub_channels():
        pass
    listener.get_message(timeout=5), listener.get_message(timeout=5)
    acme = cache.client("acme")
    assert acme.publish("news", "hello") == 1 and acme.publish("jobs.7", "done") == 1 and acme.publish("other", "x") == 0
    messages = []
    while len(messages) < 2:
        message = listener.get_message(timeout=5)
        if message:
            messages.append((message["type"], message["pattern"], message["channel"], message["data"]))
    assert messages == [("message", None, "news", "hello"), ("pmessage", "jobs.*", "jobs.7", "done")]
    assert acme.pubsub_channels() == ["news"] and acme.pubsub_numsub("news", "none") == [("news", 1), ("none", 0)]
    listener.unsubscribe()
    listener.punsubscribe()
    listener.close()


def test_resp3(cache):
    with Resp(cache.port) as client:
        hello = client.ask("HELLO", 3, "AUTH", "acme", cache.secrets["acme"], "SETNAME", "me")
        assert hello["b'proto'"] == 3 and hello["b'server'"] == b"redis"
        client.ask("HSET", "h", "a", "1")
        assert client.ask("HGETALL", "h") == {"b'a'": b"1"}
        assert client.ask("GET", "none") is None
        assert client.ask("CLIENT", "GETNAME") == b"me"
        assert client.ask("SUBSCRIBE", "c") == [b"subscribe", b"c", 1]
        assert client.ask("PUBLISH", "c", "x") in (1, [b"message", b"c", b"x"])
        assert client.read() in (1, [b"message", b"c", b"x"])
        assert client.ask("GET", "none") is None


def test_one_connection_serves_one_tenant_after_the_other(cache):
    contexts = {slug: cache.context(slug) for slug in ("acme", "globex")}
    with Resp(cache.port) as client:
        for round_number in range(50):
            for slug, context in contexts.items():
                client.send(f"AUTH app {context}\r\nSET who {slug}{round_number}\r\nGET who\r\n".encode())
        for round_number in range(50):
            for slug in contexts:
                assert [client.read() for _ in range(3)] == [b"OK", b"OK", f"{slug}{round_number}".encode()]
    for slug in ("acme", "globex"):
        assert cache.administrator(slug).get(cache.prefix(slug) + "who") == slug + "49"


def test_what_clients_ask_about_the_server(cache):
    acme = cache.client("acme", client_name="worker-1")
    acme.set("a", 1)
    info = acme.info()
    assert info["redis_version"].startswith("7.") and info["maxmemory_policy"] == "noeviction" and info["db0"]["keys"] == 1
    assert acme.client_getname() == "worker-1" and acme.client_id() > 0
    assert "worker-1" in [line["name"] for line in acme.client_list()]
    assert acme.config_get("maxmemory*") == {"maxmemory": str(16_384 << 20), "maxmemory-policy": "noeviction"}
    assert acme.acl_whoami() == "acme" and acme.execute_command("ROLE")[0] == "master"
    assert acme.command_count() > 200 and acme.time()[0] > 0


def test_redis_cli_and_redis_benchmark(cache):
    login = ["-p", str(cache.port), "--user", "acme"]
    for protocol in ("-2", "-3"):
        answer = subprocess.run(["redis-cli", *login, "--pass", cache.secrets["acme"], "--no-auth-warning", protocol, "SET", "a", "1"],
                                capture_output=True, text=True, timeout=20)
        assert answer.stdout == "OK\n", answer
    if shutil.which("redis-benchmark"):
        answer = subprocess.run(["redis-benchmark", *login, "-a", cache.secrets["acme"], "-n", "1000", "-P", "16", "-t", "set,get", "--csv"],
                                capture_output=True, text=True, timeout=60)
        assert "SET" in answer.stdout and "GET" in answer.stdout, answer
