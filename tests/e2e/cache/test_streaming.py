"""Big arguments and big replies go through in pieces: the door's memory does not depend on their size."""
import threading

import pytest
from cache_stack import CacheStack
from resp import Resp, request
from support.paths import keeps_freed_memory, partywall_binary

MIB = 1 << 20


@pytest.fixture(scope="module")
def big():
    stack = CacheStack()
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
