"""Quotas of keys and bytes: what is refused, what makes room, and that nothing gets past them."""
import copy
import json
import subprocess
import threading
import time

import pytest
import redis
from cache_stack import CacheStack
from resp import ErrorReply, Resp, request

from support.paths import partywall_binary

KEYS, MEBIBYTE = 200, 1 << 20
QUOTAS = {"acme": {"keys": KEYS, "megabytes": 4, "at_quota": "refuse"},
          "globex": {"keys": KEYS, "megabytes": 4, "at_quota": "evict"}}


@pytest.fixture(scope="module", params=["database", "prefix"])
def running(request):
    stack = CacheStack(mode=request.param)
    fast = stack.platform["tiers"]["fast"]
    for tenant in stack.platform["tenants"]:
        stack.platform["tiers"]["of-" + tenant["slug"]] = copy.deepcopy(fast) | {"cache": QUOTAS.get(tenant["slug"], {}).copy()}
        tenant["tier"] = "of-" + tenant["slug"]
    yield stack.start()
    assert stack.stop() == 0, "the daemon did not end cleanly"


@pytest.fixture
def quotas(running):
    for slug in ("acme", "globex", "slow"):
        running.empty(slug)
    return running


def over_quota():
    return pytest.raises(redis.ResponseError, match="OOM command not allowed")


def stored(stack, slug):
    return [key for key in stack.administrator(slug).scan_iter(count=1000) if key.startswith(stack.prefix(slug))]


def keys_of(stack, slug):
    return len(set(stored(stack, slug)))


def bytes_of(stack, slug):
    administrator = stack.administrator(slug)
    return sum(administrator.memory_usage(key, samples=0) or 0 for key in stored(stack, slug))


def counter(stack, name, slug):
    start = f'partywall_cache_{name}_total{{tenant="{slug}"}} '
    return next((float(line[len(start):]) for line in stack.metrics().splitlines() if line.startswith(start)), 0)


def at_once(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()


def fill(client, count=KEYS):
    pipeline = client.pipeline(transaction=False)
    for n in range(count):
        pipeline.set(f"key:{n}", "value")
    return pipeline.execute(raise_on_error=False)


def test_at_the_quota_what_makes_a_key_is_refused_and_the_rest_goes_on(quotas):
    acme = quotas.client("acme")
    assert fill(acme) == [True] * KEYS
    refused = counter(quotas, "over_quota", "acme")
    with pytest.raises(redis.ResponseError, match=rf"OOM command not allowed: tenant acme has {KEYS} keys, and its quota \(cache.keys\) is {KEYS}"):
        acme.set("one more", 1)
    for write in (lambda: acme.hset("h", "f", 1), lambda: acme.mset({"key:1": 1, "another": 1}), lambda: acme.xadd("x", {"a": 1}),
                  lambda: acme.rename("key:198", "key:199") and acme.sadd("s", 1) and acme.smove("s", "t", 1) and acme.incr("n")):
        with over_quota():
            write()
    acme.set("key:1", 1)
    assert acme.set("key:3", "other") and acme.incr("key:1") == 2 and acme.mset({"key:3": 1, "key:4": 2})
    assert acme.get("key:4") == "2" and acme.expire("key:4", 100) and acme.info()["db0"]["keys"] == KEYS
    assert acme.publish("c", 1) == 0 and acme.sort("key:none") == [] and acme.eval_ro("return 1", 0) == 1
    assert acme.delete("key:5") == 1 and acme.set("one more", 1)
    assert keys_of(quotas, "acme") == KEYS
    assert counter(quotas, "over_quota", "acme") > refused and counter(quotas, "over_quota", "globex") == 0
    acme.flushdb()
    assert fill(acme) == [True] * KEYS


def test_many_clients_at_once_do_not_get_past_it(quotas):
    refusals = []

    def write(worker):
        with Resp(quotas.port, "acme", quotas.secrets["acme"]) as client:
            client.send(b"".join(request("SET", f"{worker}:{n}", "x") for n in range(400)))
            refusals.append(sum(isinstance(client.read(), ErrorReply) for _ in range(400)))

    at_once(*(lambda worker=worker: write(worker) for worker in range(8)))
    made = keys_of(quotas, "acme")  # what was under way elsewhere may have been refused for nothing
    assert KEYS * 0.9 <= made <= KEYS and sum(refusals) == 8 * 400 - made


def test_clients_that_leave_before_the_answer_do_not_get_past_it(quotas):
    for round_ in range(10):
        with Resp(quotas.port, "acme", quotas.secrets["acme"]) as client:
            client.send(b"".join(request("SET", f"{round_}:{n}", "x") for n in range(100)))
    acme = quotas.client("acme")
    fill(acme)
    assert keys_of(quotas, "acme") <= KEYS


def test_transactions_do_not_get_past_it(quotas):
    acme = quotas.client("acme")
    too_many = acme.pipeline(transaction=True)
    for n in range(KEYS + 1):
        too_many.set(f"in:{n}", 1)
    with pytest.raises(redis.exceptions.RedisError, match="OOM|EXECABORT"):
        too_many.execute()
    assert keys_of(quotas, "acme") == 0, "none of it was carried out"
    clients = [Resp(quotas.port, "acme", quotas.secrets["acme"]) for _ in range(4)]
    for number, client in enumerate(clients):  # all are open before the first ends
        client.ask("MULTI")
        for n in range(KEYS // 3):
            client.ask("SET", f"{number}:{n}", 1)
    for client in clients:
        client.ask("EXEC")
        client.close()
    assert 0 < keys_of(quotas, "acme") <= KEYS


def test_a_script_is_noticed_and_the_next_one_refused(quotas):
    acme = quotas.client("acme")
    make = "for _, key in ipairs(KEYS) do redis.call('SET', key, 1) end"

    def run(client, name, count):
        return client.eval(make, count, *(f"{name}:{n}" for n in range(count)))
    run(acme, "first", KEYS * 3)  # nobody can tell before what it does
    time.sleep(0.1)
    for again in (lambda: run(acme, "second", 1), lambda: acme.set("a", 1),
                  lambda: run(acme.pipeline(transaction=True), "third", 1).execute()):
        with pytest.raises(redis.exceptions.RedisError, match="OOM|EXECABORT"):
            again()
    assert keys_of(quotas, "acme") == KEYS * 3
    acme.flushdb()
    made = 0
    with over_quota():
        while made < 100_000:
            run(acme, f"s{made}", 1)
            made += 1
    assert keys_of(quotas, "acme") == made >= KEYS


def test_scripts_in_transactions_are_noticed_when_they_have_run(quotas):
    with Resp(quotas.port, "acme", quotas.secrets["acme"]) as client:
        client.ask("MULTI")
        client.ask("EVAL", "for _, key in ipairs(KEYS) do redis.call('SET', key, 1) end", 1000, *range(1000))
        time.sleep(0.1)
        client.ask("EXEC")
        time.sleep(0.1)
        assert client.ask("SET", "a", 1).startswith("OOM ")


def test_values_count_in_bytes(quotas):
    acme = quotas.client("acme")
    with pytest.raises(redis.ResponseError, match=r"OOM .* take \d+ MiB, and its quota \(cache.megabytes\) is 4 MiB"):
        for n in range(KEYS):
            acme.set(f"k{n}", "x" * 50_000)
    assert 3 * MEBIBYTE < bytes_of(quotas, "acme") < 5 * MEBIBYTE
    assert acme.get("k1") == "x" * 50_000
    acme.delete(*[f"k{n}" for n in range(40)])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            assert acme.set("again", "x" * 50_000)
            break
        except redis.ResponseError:
            time.sleep(0.05)
    assert acme.exists("again")


def test_values_that_are_passed_on_while_they_arrive_count(quotas):
    with Resp(quotas.port, "acme", quotas.secrets["acme"]) as client:
        answers = [client.ask("SET", f"k{n}", "x" * 700_000) for n in range(10)]
        assert answers.count(b"OK") == 5 and all(a.startswith("OOM ") for a in answers[5:])
        assert client.ask("GETRANGE", "k0", 0, 2) == b"xxx", "the refused ones were read to their end"
    assert bytes_of(quotas, "acme") < 5 * MEBIBYTE


def test_one_long_string_is_refused_before_it_is_there(quotas):
    acme = quotas.client("acme")
    for write in (lambda: acme.setrange("a", 100_000_000, "x"), lambda: acme.setbit("a", 1_000_000_000, 1)):
        with over_quota():
            write()
    assert keys_of(quotas, "acme") == 0 and acme.setrange("a", 1_000_000, "x")


def test_many_small_appends_and_members_count(quotas):
    acme = quotas.client("acme")
    for write in (lambda: acme.append("string", "x" * 20_000), lambda: acme.sadd("set", *[f"{n}-{time.monotonic_ns()}" for n in range(500)])):
        with over_quota():
            for _ in range(3_000):
                write()
        assert bytes_of(quotas, "acme") < 7 * MEBIBYTE, "a string that grows has room for a MiB more"
        acme.flushdb()


def test_where_it_evicts_everything_is_taken_and_the_quota_holds(quotas):
    slow, globex = quotas.client("slow"), quotas.client("globex")
    slow.mset({f"key:{n}": n for n in range(10)})
    evicted = counter(quotas, "evicted", "globex")

    def write(worker):
        client = quotas.client("globex")
        for n in range(20):
            pipeline = client.pipeline(transaction=False)
            for m in range(50):
                pipeline.set(f"{worker}:{n}:{m}", "x")
            assert pipeline.execute() == [True] * 50

    at_once(*(lambda worker=worker: write(worker) for worker in range(4)))
    assert globex.set("last", 1) and KEYS / 2 < keys_of(quotas, "globex") <= KEYS
    assert counter(quotas, "evicted", "globex") - evicted == 4_001 - keys_of(quotas, "globex")
    assert keys_of(quotas, "slow") == 10, "nobody else's keys made room"
    assert counter(quotas, "over_quota", "globex") == 0
    with over_quota():
        globex.mset({f"m{n}": 1 for n in range(KEYS + 1)})
    assert keys_of(quotas, "globex") > KEYS / 2, "what can never fit evicts nothing"


def test_keys_in_use_stay(quotas):
    globex = quotas.client("globex")
    fill(globex, 160)
    time.sleep(2.2)  # Redis knows in seconds when a key was used
    hot = [f"key:{n}" for n in range(40)]
    globex.mget(hot)
    for n in range(80):
        globex.set(f"new:{n}", 1)
    assert globex.exists(*hot) >= 30


def test_where_it_evicts_bytes_make_room_too(quotas):
    globex = quotas.client("globex")
    for n in range(150):
        assert globex.set(f"k{n}", "x" * 100_000)
    assert MEBIBYTE < bytes_of(quotas, "globex") < 5 * MEBIBYTE
    assert globex.get("k149") == "x" * 100_000


def stats(stack, slug, *more):
    return subprocess.run([partywall_binary(), "cache", "stats", slug, "--admin", f"127.0.0.1:{stack.admin_port}", *more],
                          capture_output=True, text=True, timeout=60)


def test_what_a_tenant_uses_and_finds_is_shown(quotas):
    globex = quotas.client("globex")
    fill(globex, 150)
    before = json.loads(stats(quotas, "globex", "-o", "json").stdout)
    for _ in range(10):
        assert globex.get("key:1") == "value" and globex.get("none") is None
    pipeline = globex.pipeline(transaction=False)
    for n in range(1_000):
        pipeline.get(f"key:{n}").exists("key:1").hget("none", "field").mget("key:1", "none")
    answers = pipeline.execute()
    found = sum(a is not None for a in answers[0::4])
    assert globex.set("none", 1, xx=True) is None, "a null that is no miss"
    globex.pipeline(transaction=True).get("none").execute()
    after = json.loads(stats(quotas, "globex", "-o", "json").stdout)
    assert after["hits"] - before["hits"] == 10 + found + 1_000
    assert after["misses"] - before["misses"] == 10 + (1_000 - found) + 1_000 + 1_000
    assert after["quota"] == {"keys": KEYS, "bytes": 4 * MEBIBYTE, "at_quota": "evict", "key_spaces": []} and after["keys"] <= KEYS
    estimate = after["estimated_hit_rate"]
    assert 0 <= estimate["at_quota"] <= estimate["at_double_quota"] <= 1
    shown = stats(quotas, "globex")
    assert shown.returncode == 0 and "keys      " in shown.stdout and "estimate  doubling this quota would" in shown.stdout
    assert counter(quotas, "hits", "globex") == after["hits"] and json.loads(stats(quotas, "slow", "-o", "json").stdout)["hits"] == 0
    nobody = stats(quotas, "nobody")
    assert nobody.returncode == 3 and "no tenant 'nobody'" in nobody.stderr


def test_blocked_commands_hold_their_place(quotas):
    acme = quotas.client("acme")
    fill(acme, KEYS - 1)
    with Resp(quotas.port, "acme", quotas.secrets["acme"]) as blocked:
        blocked.send(request("BLMOVE", "source", "destination", "LEFT", "RIGHT", 0))
        deadline = time.monotonic() + 20
        while not any(c["cmd"] == "blmove" for c in quotas.administrator().client_list()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with over_quota():
            acme.rpush("source", 1)
        acme.delete("key:1")
        assert acme.rpush("source", 1) == 1
        assert blocked.read() == b"1"
    assert keys_of(quotas, "acme") <= KEYS
