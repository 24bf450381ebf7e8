"""Rates, statuses, sizes, slow readers, a Redis that goes away."""
import socket
import time

import pytest
import redis
from cache_stack import ADMINISTRATOR
from resp import ErrorReply, Resp, request


def resident_kilobytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_the_rate_limit_refuses_with_its_own_code_and_the_time_to_wait(cache):
    time.sleep(1.1)
    with Resp(cache.port, "slow", cache.secrets["slow"]) as client:
        client.send(request("GET", "a") * 100)
        answers = [client.read() for _ in range(100)]
        refused = [answer for answer in answers if isinstance(answer, ErrorReply)]
        assert 20 <= answers.count(None) <= 30 and len(refused) == 100 - answers.count(None)
        assert refused[0].startswith("LIMIT more than 20 commands in 1000 ms (cache_rate); try again in ")
        time.sleep(1.1)
        assert client.ask("GET", "a") is None
    assert cache.client("acme").ping(), "others are not held back"


def test_a_tenant_that_is_suspended_or_read_only(own_stack):
    acme, listener = own_stack.client("acme"), own_stack.client("acme").pubsub()
    acme.set("a", 1)
    listener.subscribe("c")
    listener.get_message(timeout=5)
    own_stack.change_tenant("acme", status="read_only")
    assert acme.get("a") == "1" and acme.eval_ro("return redis.call('GET', 'a')", 0) == "1"
    for write in (lambda: acme.set("a", 2), lambda: acme.eval("return 1", 0), lambda: acme.blpop("q", 1), lambda: acme.flushdb()):
        with pytest.raises(redis.ResponseError, match="tenant acme is read-only"):
            write()
    own_stack.change_tenant("acme", status="suspended")
    with pytest.raises(redis.ResponseError, match="tenant acme is suspended"):
        acme.get("a")
    with pytest.raises(redis.ConnectionError):
        while listener.get_message(timeout=5) is None:
            pass
        listener.get_message(timeout=5)
    assert own_stack.client("globex").ping()
    own_stack.change_tenant("acme", status="active")
    assert own_stack.client("acme").get("a") == "1"


def test_requests_that_are_too_big_end_the_connection(cache):
    for head in (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5000000\r\n", b"*2000000\r\n", b"*1\r\n$-1\r\n", b"x" * 70_000):
        with Resp(cache.port, "acme", cache.secrets["acme"]) as client:
            client.send(head)
            assert client.read().startswith("ERR Protocol error")
            assert client.is_closed()


def test_a_stranger_is_given_little_and_not_for_long(cache):
    with Resp(cache.port) as client:
        client.send(b"*3\r\n$4\r\nAUTH\r\n$9000\r\n")
        assert client.read().startswith("ERR Protocol error")
    with Resp(cache.port) as client:
        begin = time.monotonic()
        assert client.is_closed() and 0.5 < time.monotonic() - begin < 10


def test_a_reader_that_does_not_read_is_cut_off_and_costs_little(cache):
    acme = cache.client("acme")
    acme.set("big", "x" * 1_000_000)
    before, connections = resident_kilobytes(cache.process.pid), cache.connections()
    lazy = Resp(cache.port, "acme", cache.secrets["acme"])
    lazy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 10_000)
    lazy.send(request("GET", "big") * 200)
    time.sleep(0.5)
    assert resident_kilobytes(cache.process.pid) - before < 20_000 and cache.connections() == connections + 1
    begin = time.monotonic()
    assert acme.ping() and time.monotonic() - begin < 10, "the tenant's other clients go on"
    while cache.connections() > connections:
        assert time.monotonic() - begin < 15, "it is still connected"
        time.sleep(0.1)
    print("cut off after", time.monotonic() - begin)
    lazy.close()


def test_a_slow_reader_gets_all_of_a_large_answer(cache):
    acme = cache.client("acme", decode_responses=False)
    acme.set("big", b"0123456789" * 100_000)
    with Resp(cache.port, "acme", cache.secrets["acme"]) as client:
        client.send(request("GET", "big") * 10)
        for _ in range(10):
            time.sleep(0.1)
            assert client.read() == b"0123456789" * 100_000


def test_redis_goes_away_and_comes_back(own_stack):
    acme = own_stack.client("acme")
    acme.set("a", 1)
    with Resp(own_stack.port, "acme", own_stack.secrets["acme"]) as watching, \
            Resp(own_stack.port, "acme", own_stack.secrets["acme"]) as blocked:
        watching.ask("WATCH", "a")
        blocked.send(request("BLPOP", "q", 0))
        time.sleep(0.2)
        own_stack.redis.stop()
        assert "outcome is not known" in blocked.read()
        answer = watching.ask("MULTI")
        assert "lost" in answer and watching.is_closed()
    with pytest.raises(redis.ResponseError, match="cannot be reached"):
        acme.get("a")
    own_stack.redis.start()
    own_stack.provision()
    time.sleep(0.3)
    assert acme.get("a") is None and acme.set("a", 2)


def test_a_redis_that_is_not_provisioned_serves_nobody(own_stack):
    administrator = redis.Redis(port=own_stack.redis.port, username=ADMINISTRATOR, password=own_stack.passwords["administrator"])
    administrator.acl_deluser(own_stack.tenant_user("acme")[0])
    with pytest.raises(redis.ResponseError, match="cannot be reached"):
        own_stack.client("acme").get("a")
    assert own_stack.client("globex").set("a", 1)
    assert "the opening exchange failed, step 6: -WRONGPASS" in own_stack.process.log()


def test_metrics_count_by_tenant(own_stack):
    acme = own_stack.client("acme")
    for _ in range(50):
        acme.get("a")
    with pytest.raises(redis.ResponseError):
        acme.execute_command("SWAPDB", 0, 1)
    metrics = own_stack.metrics()
    value = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines() if not line.startswith("#")}
    assert value['partywall_cache_commands_total{tenant="acme"}'] >= 51
    assert value['partywall_cache_refused_total{tenant="acme"}'] == 1
    assert value["partywall_cache_connections"] >= 1 and 1 <= value["partywall_cache_upstream_connections"] <= 2
    assert 'tenant="globex"' not in metrics
