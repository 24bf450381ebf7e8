"""Keyspace notifications: those of the tenant's own databases, with its own numbers."""
import pytest
from cache_stack import CacheStack
from resp import Resp


@pytest.fixture(scope="module")
def events():
    stack = CacheStack()
    stack.platform["cells"]["main"]["cache"]["keyspace_events"] = True
    stack.start()
    yield stack
    assert stack.stop() == 0


def subscribe(stack, slug, command, *names):
    client = Resp(stack.port, slug, stack.secrets[slug])
    confirmed = [client.ask(command, names[0])] + [client.ask(command, name) for name in names[1:]]
    assert [entry[1].decode() for entry in confirmed] == list(names)
    return client


def received(client, count):
    return [tuple(part.decode() for part in client.read()[1:]) for _ in range(count)]


def test_channels_and_patterns_have_the_tenants_own_numbers(events):
    acme = events.client("acme")
    with subscribe(events, "acme", "SUBSCRIBE", "__keyspace@0__:k", "__keyevent@0__:expire") as by_name, \
            subscribe(events, "acme", "PSUBSCRIBE", "__keyspace@*__:k*", "__key*__:k") as by_pattern:
        acme.set("k", 1)
        acme.expire("k", 100)
        acme.set("other", 1)
        assert received(by_name, 3) == [("__keyspace@0__:k", "set"), ("__keyspace@0__:k", "expire"), ("__keyevent@0__:expire", "k")]
        assert sorted(received(by_pattern, 4)) == [
            ("__key*__:k", "__keyspace@0__:k", "expire"), ("__key*__:k", "__keyspace@0__:k", "set"),
            ("__keyspace@*__:k*", "__keyspace@0__:k", "expire"), ("__keyspace@*__:k*", "__keyspace@0__:k", "set")]


def test_nobody_hears_of_a_neighbours_keys(events):
    """Whatever is subscribed to: globex writes, only acme's own last write may arrive."""
    patterns = ["__keyspace@0__:*", "__keyevent@*__:*", "__key*__:*", "__key*@0__:*", "*", "__key*", "__keyspace@?__:*",
                "__keyspace@[0-9]__:*", "__keyspace@2__:*", "*@2__:*", "[_]_keyspace@2__:*"]
    globex, acme = events.client("globex"), events.client("acme")
    with subscribe(events, "acme", "PSUBSCRIBE", *patterns) as by_pattern, \
            subscribe(events, "acme", "SUBSCRIBE", "__keyspace@2__:k", "__keyevent@2__:set", "__keyspace@0__:k") as by_name:
        for key in ("k", "x@1__:y", "@1__:", "a"):
            globex.set(key, "globex")
            globex.delete(key)
        acme.set("k", "own")
        heard = received(by_pattern, 6)
        assert {entry[1:] for entry in heard} == {("__keyspace@0__:k", "set"), ("__keyevent@0__:set", "k")}
        assert sorted(entry[0] for entry in heard) == sorted(
            ["__keyspace@0__:*", "__keyevent@*__:*"] + ["__key*__:*", "__key*@0__:*"] * 2)
        assert received(by_name, 1) == [("__keyspace@0__:k", "set")]


def test_config_says_that_they_are_on(events):
    with Resp(events.port, "acme", events.secrets["acme"]) as client:
        assert client.ask("CONFIG", "GET", "notify-keyspace-events") == [b"notify-keyspace-events", b"AKE"]
        assert client.ask("CONFIG", "SET", "notify-keyspace-events", "Ex") == b"OK"
        assert client.ask("CONFIG", "SET", "notify-keyspace-events", "Q").startswith("ERR Invalid event class")
