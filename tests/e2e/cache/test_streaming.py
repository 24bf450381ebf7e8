"""Big arguments and big replies go through in pieces: the door's memory does not depend on their size."""
import threading

import pytest
from cache_stack import CacheStack
from resp import Resp, request
from support.paths import keeps_freed_memory, partywall_binary

MIB = 1 << 20


@pytest.fixture(scope="module", params=["database", "prefix"])
def big(request):
    stack = CacheStack(mode=request.param)
    stack.platform["doors"]["cache"] |= {"max_request_size": "256MiB", "write_timeout": "20s"}
    stack.start()
    yield stack
    assert stack.stop() == 0


bounded_memory = pytest.mark.skipif(keeps_freed_memory(partywall_binary()),
                                    reason="AddressSanitizer keeps freed memory for a while")


def peak_kilobytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def exchange_big(stack, slug, key, size):
    values = [bytes([number]) * min(size, 8 * MIB) for number in range(max(1, size // (8 * MIB)))]
    with Resp(stack.port, slug, stack.secrets[slug]) as client:
        writer = threading.Thread(target=client.send, args=(request("RPUSH", key, *values) + request("PING"),))
        writer.start()
        assert client.read() == len(values) and client.read() == b"PONG"
        writer.join()
        assert client.ask("LRANGE", key, 0, -1) == values
        assert client.ask("DEL", key) == 1


@bounded_memory
def test_a_request_of_any_size_costs_a_bounded_amount_of_memory(big):
    exchange_big(big, "acme", "warm", MIB)
    before = peak_kilobytes(big.process.pid)
    exchange_big(big, "acme", "big", 96 * MIB)
    grown = peak_kilobytes(big.process.pid) - before
    print("a request of 96 MiB and its answer: the door's peak grew by", grown, "KiB")
    assert grown < 16 * 1024


@bounded_memory
def test_eight_at_once_and_small_commands_between_them(big):
    exchange_big(big, "acme", "warm", MIB)
    before = peak_kilobytes(big.process.pid)
    threads = [threading.Thread(target=exchange_big, args=(big, slug, f"big{number}", 8 * MIB))
               for number in range(4) for slug in ("acme", "globex")]
    for thread in threads:
        thread.start()
    acme, done = big.client("acme"), 0
    while any(thread.is_alive() for thread in threads):
        assert acme.incr("n") == done + 1
        done += 1
    for thread in threads:
        thread.join()
    grown = peak_kilobytes(big.process.pid) - before
    print(done, "commands between; the door's peak grew by", grown, "KiB")
    assert done > 0 and grown < 48 * 1024, "8 x 8 MiB both ways"


def test_half_a_big_request_holds_up_nobody_and_leaves_nothing(big):
    value = b"x" * (4 * MIB)
    for _ in range(5):
        lazy = Resp(big.port, "acme", big.secrets["acme"])
        lazy.send(request("SET", "half", value)[:-1000])
        assert big.client("acme").set("a", 1)
        lazy.close()
    assert big.client("acme").get("half") is None and big.client("globex").get("half") is None


def test_keys_of_big_requests_are_the_tenants(big):
    """Keys before, behind and between the big arguments, also big ones, in whatever pieces they come."""
    value, long_key = b"v" * 200_000, b"k" * 100_000
    big.client("acme").flushall()
    with Resp(big.port, "acme", big.secrets["acme"]) as acme, Resp(big.port, "globex", big.secrets["globex"]) as globex:
        assert globex.ask("MSET", "a", "globex", "b", "globex", long_key, "globex") == b"OK"
        data = request("MSET", "a", value, long_key, value, "b", "small") + request("MGET", "b", long_key, "a")
        for begin in range(0, len(data), 33_333):
            acme.send(data[begin:begin + 33_333])
        assert acme.read() == b"OK" and acme.read() == [b"small", value, value]
        assert acme.ask("LPUSH", "list", value) == 1 and acme.ask("LMPOP", 2, long_key + b"x", "list", "LEFT") == [b"list", [value]]
        acme.send(request("MULTI") + request("SET", "c", value) + request("LPUSH", "list", value) + request("LMPOP", 1, "list", "LEFT") + request("EXEC"))
        assert [acme.read() for _ in range(4)] == [b"OK"] + [b"QUEUED"] * 3 and acme.read() == [b"OK", 1, [b"list", [value]]]
        assert acme.ask("EXISTS", *["b"] * 20_000, "none", long_key) == 20_001
        assert globex.ask("MGET", "a", "b", "c", long_key) == [b"globex", b"globex", None, b"globex"]
        assert acme.ask("EXISTS", "a", "b", "c", long_key) == 4 and acme.ask("UNLINK", "a", "b", "c", long_key) == 4
        assert acme.ask("DBSIZE") == 0 and globex.ask("FLUSHALL") == b"OK"


def test_a_big_request_that_is_broken_ends_the_connection_alone(big):
    big.client("acme").flushall()
    with Resp(big.port, "acme", big.secrets["acme"]) as client:
        client.send(request("MSET", "a", b"v" * 200_000, "b", "1")[:-len("$1\r\nb\r\n$1\r\n1\r\n")] + b"$1\r\nbXX")
        assert b"Protocol error" in client.file.read()
    assert big.client("acme").get("a") is None and big.client("globex").ping()
