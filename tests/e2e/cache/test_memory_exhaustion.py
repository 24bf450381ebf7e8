"""A tenant that wants to use up the door's memory, with many connections at once: what all of them take is bounded, and its
neighbour does not notice."""
import contextlib
import select
import socket

import pytest
from cache_stack import CacheStack
from resp import ErrorReply, Resp, request
from support.paths import keeps_freed_memory, partywall_binary
from support.waiting import wait_until

MIB = 1 << 20
WORKERS = 2
CROWD = 60

pytestmark = pytest.mark.skipif(keeps_freed_memory(partywall_binary()), reason="AddressSanitizer keeps freed memory for a while")


@pytest.fixture(params=["database", "prefix"])
def attacked(request):
    stack = CacheStack(mode=request.param)
    stack.platform["doors"]["cache"] |= {"write_timeout": "5s"}
    assert stack.platform["node"]["workers"] == WORKERS
    stack.start()
    with Resp(stack.port, "globex", stack.secrets["globex"]) as neighbour:
        assert neighbour.ask("SET", "n", 0) == b"OK"
        yield stack, neighbour
    assert stack.stop() == 0, "the daemon did not end cleanly"


def status_of(stack, name):
    with open(f"/proc/{stack.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name)) * 1024


def crowd(stack, closing, size=CROWD, receive_buffer=None):
    clients = [closing.enter_context(contextlib.closing(Resp(stack.port, "acme", stack.secrets["acme"]))) for _ in range(size)]
    for client in clients:
        if receive_buffer:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    return clients


def works_on(neighbour):
    for _ in range(20):
        assert isinstance(neighbour.ask("INCR", "n"), int)


def send_all_that_is_taken(client, data):
    """Until the other side takes no more, or has ended the connection."""
    client.socket.settimeout(0.2)
    with contextlib.suppress(OSError):
        client.socket.sendall(data)


def test_answers_that_nobody_reads(attacked):
    """On one connection to Redis, which waits for the one that does not read; and each on one of its own."""
    stack, neighbour = attacked
    stack.client("acme").set("big", b"x" * MIB)
    before, connections = status_of(stack, "VmRSS"), stack.connections()
    with contextlib.ExitStack() as closing:
        for client in crowd(stack, closing, receive_buffer=10_000):
            send_all_that_is_taken(client, request("GET", "big") * 5)
        for client in crowd(stack, closing, receive_buffer=10_000):
            send_all_that_is_taken(client, request("MULTI") + request("GET", "big") * 5 + request("EXEC"))
        works_on(neighbour)
        # Each 256 KiB, and what one read from Redis brings beyond that; asked for were 600 MiB.
        grown = status_of(stack, "VmHWM") - before
        print("grown by", grown // MIB, "MiB")
        assert grown < 2 * CROWD * MIB / 2
    wait_until(lambda: stack.connections() <= connections, "the connections to end")
    works_on(neighbour)
    assert stack.client("acme").get("big") == "x" * MIB


def test_requests_that_never_end(attacked):
    """Of a command that is kept until it is whole."""
    stack, neighbour = attacked
    before = status_of(stack, "VmRSS")
    begun = b"*3\r\n$4\r\nEVAL\r\n$4000000\r\n" + b"-" * 3_900_000
    with contextlib.ExitStack() as closing:
        clients = crowd(stack, closing)
        for client in clients:
            send_all_that_is_taken(client, begun)
            works_on(neighbour)
        # 64 MiB on each worker; a buffer has up to twice what is in it.
        grown = status_of(stack, "VmHWM") - before
        print("grown by", grown // MIB, "MiB")
        assert grown < WORKERS * 2 * 64 * MIB + 16 * MIB
        assert CROWD / 4 < len(refused_of(clients)) < CROWD
    # Nothing is left of it.
    wait_until(lambda: stack.connections() == 1, "the connections to end")
    with contextlib.ExitStack() as closing:
        for client in crowd(stack, closing, size=8):
            assert client.ask("EVAL", "return #ARGV[1]", 0, b"x" * 3_000_000) == 3_000_000


def refused_of(clients):
    """Those that have been told so. Whoever is refused is told at once: after a second without a word nobody else will be."""
    refused, waiting = [], {client.socket: client for client in clients}
    while ready := select.select(waiting, [], [], 1)[0]:
        refused += [client for client in map(waiting.pop, ready) if was_refused(client)]
    return refused


def was_refused(client):
    client.socket.settimeout(1)
    try:
        reply = client.read()
    except (TimeoutError, OSError, EOFError):
        return False
    return isinstance(reply, ErrorReply) and reply.startswith("LIMIT the unfinished requests")


def test_messages_that_nobody_reads(attacked):
    stack, neighbour = attacked
    before = status_of(stack, "VmRSS")
    with contextlib.ExitStack() as closing:
        for client in crowd(stack, closing, receive_buffer=10_000):
            assert client.ask("SUBSCRIBE", "news") == [b"subscribe", b"news", 1]
        publisher = stack.client("acme")
        for _ in range(100):
            publisher.publish("news", b"x" * 100_000)
            works_on(neighbour)
        grown = status_of(stack, "VmHWM") - before
        print("grown by", grown // MIB, "MiB")
        assert grown < CROWD * MIB, "of 600 MiB"
