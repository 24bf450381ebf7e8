"""Client-side caching: told of the tenant's own keys that were read, of nothing else."""
import secrets
import threading

import pytest
from cache_stack import CacheStack
from resp import Resp


@pytest.fixture(scope="module", params=["database", "prefix"])
def tracked(request):
    stack = CacheStack(mode=request.param, databases=2, keyspace_events=True)
    yield stack.start()
    assert stack.stop() == 0


@pytest.fixture
def client(tracked):
    with Resp(tracked.port) as connection:
        assert connection.ask("HELLO", 3, "AUTH", "acme", tracked.secrets["acme"])["b'proto'"] == 3
        yield connection


def catch_up(client, other):
    """The door may hear of a change after a client has read what it made, and tell it once too often: waits until it has heard of all."""
    optin = b"optin" in client.ask("CLIENT", "TRACKINGINFO")["b'flags'"]
    assert not optin or client.ask("CLIENT", "CACHING", "YES") == b"OK"
    marker = secrets.token_hex(8)
    assert client.ask("GET", marker) is None
    other.set(marker, 1)
    assert client.read() == [b"invalidate", [marker.encode()]]
    other.delete(marker)


def test_a_change_of_what_was_read_is_told_once(tracked, client):
    assert client.ask("CLIENT", "TRACKING", "ON") == b"OK"
    other = tracked.client("acme")
    other.set("k", 1)
    assert client.ask("GET", "k") == b"1"
    other.set("unread", 1)
    other.set("k", 2)
    assert client.read() == [b"invalidate", [b"k"]]
    other.set("k", 3)
    assert client.ask("MGET", "k", "l") == [b"3", None]
    other.expire("k", 1)
    assert client.read() == [b"invalidate", [b"k"]]
    other.mset({"l": 1})
    assert client.read() == [b"invalidate", [b"l"]]
    assert client.ask("CLIENT", "TRACKINGINFO")["b'flags'"] == [b"on"]
    client.ask("GET", "l")
    other.eval("redis.call('DEL', KEYS[1])", 1, "l")
    assert client.read() == [b"invalidate", [b"l"]]
    other.set("x", 1)
    catch_up(client, other)
    client.ask("GET", "x")
    other.flushdb()
    # In prefix mode it is known of which keys it was.
    assert client.read() == [b"invalidate", None if tracked.mode == "database" else [b"x"]]


def test_a_neighbours_change_of_a_key_of_the_same_name_is_not_told(tracked, client):
    """Redis itself would: it tracks by name over all databases."""
    assert client.ask("CLIENT", "TRACKING", "ON") == b"OK"
    globex, acme = tracked.client("globex"), tracked.client("acme")
    for key in ("same", "__keyspace@1__:same", "x", tracked.prefix("acme") + "x", "tenant:{x}:same"):
        client.ask("GET", key)
        for database in range(2):
            tracked.client("globex", db=database).set(key, 1)
            tracked.client("globex", db=database).delete(key)
        tracked.client("acme", db=1).set(key, 1)
    globex.flushall()
    acme.set("x", 1)
    assert client.read() == [b"invalidate", [b"x"]], "the first thing that is told is the tenant's own"
    assert client.ask("CLIENT", "TRACKING", "ON", "BCAST").startswith("NOPERM")


def test_redirection_is_for_clients_of_the_tenant(tracked):
    with Resp(tracked.port, "acme", tracked.secrets["acme"]) as reader, \
            Resp(tracked.port, "acme", tracked.secrets["acme"]) as listener, \
            Resp(tracked.port, "globex", tracked.secrets["globex"]) as stranger:
        stranger_id, listener_id = stranger.ask("CLIENT", "ID"), listener.ask("CLIENT", "ID")
        assert listener.ask("SUBSCRIBE", "__redis__:invalidate")[0] == b"subscribe"
        assert "does not exist" in reader.ask("CLIENT", "TRACKING", "ON", "REDIRECT", stranger_id)
        assert reader.ask("CLIENT", "TRACKING", "ON", "REDIRECT", listener_id) == b"OK"
        assert reader.ask("CLIENT", "GETREDIR") == listener_id
        reader.ask("GET", "redirected")
        tracked.client("acme").set("redirected", 1)
        assert listener.read() == [b"message", b"__redis__:invalidate", [b"redirected"]]


def test_what_is_kept_is_never_old(tracked, client):
    """A reader that keeps what it reads until it is told, while a writer goes on: at the end it has the last value."""
    assert client.ask("CLIENT", "TRACKING", "ON") == b"OK"
    rounds = 2_000
    writer = threading.Thread(target=lambda: [tracked.client("acme").set("n", number) for number in range(rounds + 1)])
    writer.start()
    kept, seen = None, []
    while kept != rounds:
        if kept is None:
            client.send(b"*2\r\n$3\r\nGET\r\n$1\r\nn\r\n")
            while (answer := client.read()) == [b"invalidate", [b"n"]]:
                pass  # of what was kept before
            kept = int(answer or -1)
            seen.append(kept)
        elif client.read() == [b"invalidate", [b"n"]]:
            kept = None
    writer.join()
    assert seen == sorted(seen)
    print(len(seen), "reads for", rounds, "writes")


def test_in_another_database(tracked, client):
    assert client.ask("SELECT", 1) == b"OK" and client.ask("CLIENT", "TRACKING", "ON") == b"OK"
    first, second = tracked.client("acme"), tracked.client("acme", db=1)
    second.set("k", 1)
    catch_up(client, second)
    client.ask("GET", "k")
    first.set("k", 2)
    first.delete("k")
    second.set("k", 2)
    assert client.read() == [b"invalidate", [b"k"]]
    if tracked.mode == "prefix":
        first.set("copied", 1)
        assert client.ask("GET", "copied") is None
        assert first.copy("copied", "copied", destination_db=1)
        assert client.read() == [b"invalidate", [b"copied"]]
        assert client.ask("GET", "moved") is None
        first.set("moved", 1)
        assert first.move("moved", 1)
        assert client.read() == [b"invalidate", [b"moved"]]


def test_ones_own_changes_and_the_choice(tracked, client):
    other = tracked.client("acme")
    other.mset({"a": 1, "b": 1, "c": 1})
    assert client.ask("CLIENT", "TRACKING", "ON", "NOLOOP", "OPTIN") == b"OK"
    catch_up(client, other)
    client.ask("GET", "c")
    assert client.ask("CLIENT", "CACHING", "YES") == b"OK"
    assert client.ask("MGET", "a", "b") == [b"1", b"1"]
    assert client.ask("SET", "a", 3) == b"OK"
    other.mset({"c": 2, "b": 2})
    assert client.read() == [b"invalidate", [b"b"]], "neither of its own change, nor of what it did not ask to keep"
    if tracked.mode == "prefix":
        # A copy of its own into the other database has nothing to do with the key of the same name here.
        assert client.ask("CLIENT", "CACHING", "YES") == b"OK"
        assert client.ask("GET", "b") == b"2"
        assert client.ask("COPY", "a", "b", "DB", 1, "REPLACE") == 1
        other.set("b", 4)
        assert client.read() == [b"invalidate", [b"b"]]
