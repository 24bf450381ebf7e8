"""Keyspace notifications: those of the tenant's own databases, with its own numbers and key names."""
import pytest
from cache_stack import CacheStack
from resp import Resp

DATABASES = 2


@pytest.fixture(scope="module", params=["database", "prefix"])
def events(request):
    stack = CacheStack(mode=request.param, databases=DATABASES, keyspace_events=True)
    yield stack.start()
    assert stack.stop() == 0


@pytest.fixture
def single(request):
    """Tenants that have one database."""
    stack = CacheStack(mode=request.param, keyspace_events=True)
    yield stack.start()
    assert stack.stop() == 0


def subscribe(stack, slug, command, *names):
    client = Resp(stack.port, slug, stack.secrets[slug])
    confirmed = [client.ask(command, names[0])] + [client.ask(command, name) for name in names[1:]]
    assert [entry[0].decode() for entry in confirmed] == [command.lower()] * len(names)
    assert [entry[1].decode() for entry in confirmed] == list(names)
    assert [entry[2] for entry in confirmed] == list(range(1, len(names) + 1))
    return client


def received(client, count):
    return [tuple(part.decode() for part in client.read()[1:]) for _ in range(count)]


@pytest.mark.parametrize("single", ["database", "prefix"], indirect=True)
def test_channels_and_patterns_have_the_tenants_own_numbers(single):
    acme = single.client("acme")
    with subscribe(single, "acme", "SUBSCRIBE", "__keyspace@0__:k", "__keyevent@0__:expire") as by_name, \
            subscribe(single, "acme", "PSUBSCRIBE", "__keyspace@*__:k*", "__key*__:k") as by_pattern:
        acme.set("k", 1)
        acme.expire("k", 100)
        acme.set("other", 1)
        assert received(by_name, 3) == [("__keyspace@0__:k", "set"), ("__keyspace@0__:k", "expire"), ("__keyevent@0__:expire", "k")]
        assert sorted(received(by_pattern, 4)) == [
            ("__key*__:k", "__keyspace@0__:k", "expire"), ("__key*__:k", "__keyspace@0__:k", "set"),
            ("__keyspace@*__:k*", "__keyspace@0__:k", "expire"), ("__keyspace@*__:k*", "__keyspace@0__:k", "set")]


@pytest.mark.parametrize("single", ["database", "prefix"], indirect=True)
def test_nobody_hears_of_a_neighbours_keys(single):
    """Whatever is subscribed to: globex writes, only acme's own last write may arrive."""
    theirs = single.prefix("globex") or "globex:"
    patterns = ["__keyspace@0__:*", "__keyevent@*__:*", "__key*__:*", "__key*@0__:*", "*", "__key*", "__keyspace@?__:*",
                "__keyspace@[0-9]__:*", "__keyspace@2__:*", "*@2__:*", "[_]_keyspace@2__:*", f"__keyspace@0__:{theirs}*",
                "__keyspace@0__:tenant:*", "[_]_keyspace@0__:tenant:*", "__keyspace@0__:../*"]
    names = ["__keyspace@2__:k", "__keyevent@2__:set", "__keyspace@0__:k", f"__keyspace@0__:{theirs}k", f"{theirs}k"]
    globex, acme = single.client("globex"), single.client("acme")
    with subscribe(single, "acme", "PSUBSCRIBE", *patterns) as by_pattern, subscribe(single, "acme", "SUBSCRIBE", *names) as by_name:
        for key in ("k", "x@1__:y", "@1__:", "a", single.prefix("acme") + "k"):
            globex.set(key, "globex")
            globex.delete(key)
        acme.set("k", "own")
        heard = received(by_pattern, 6)
        assert {entry[1:] for entry in heard} == {("__keyspace@0__:k", "set"), ("__keyevent@0__:set", "k")}
        assert sorted(entry[0] for entry in heard) == sorted(
            ["__keyspace@0__:*", "__keyevent@*__:*"] + ["__key*__:*", "__key*@0__:*"] * 2)
        assert received(by_name, 1) == [("__keyspace@0__:k", "set")]


@pytest.mark.parametrize("protocol", [2, 3])
def test_events_of_each_database(events, protocol):
    with Resp(events.port) as client:
        client.ask("HELLO", protocol, "AUTH", "acme", events.secrets["acme"])
        names = ["news", "__keyevent@1__:del", "__keyspace@1__:k", "__keyevent@0__:del"]
        confirmed = [client.ask("SUBSCRIBE", *names)] + [client.read() for _ in names[1:]]
        assert confirmed == [[b"subscribe", name.encode(), number] for number, name in enumerate(names, 1)]
        assert client.ask("PSUBSCRIBE", "__keyevent@1__:s*") == [b"psubscribe", b"__keyevent@1__:s*", 5]
        for number in range(DATABASES):
            for slug in ("globex", "acme"):
                writer = events.client(slug, db=number)
                writer.set("k", 1)
                writer.delete("k")
        events.client("globex").publish("news", "globex")
        events.client("acme").publish("news", "acme")
        heard = [tuple(part.decode() for part in client.read()) for _ in range(6)]
        assert heard[0] == ("message", "__keyevent@0__:del", "k") and heard[-1] == ("message", "news", "acme")
        assert sorted(heard[1:-1]) == [
            ("message", "__keyevent@1__:del", "k"), ("message", "__keyspace@1__:k", "del"), ("message", "__keyspace@1__:k", "set"),
            ("pmessage", "__keyevent@1__:s*", "__keyevent@1__:set", "k")]
        # Without names it is all of the one kind, and none of the other.
        assert client.ask("PUNSUBSCRIBE") == [b"punsubscribe", b"__keyevent@1__:s*", 4]
        assert client.ask("PUNSUBSCRIBE") == [b"punsubscribe", None, 4]
        assert client.ask("UNSUBSCRIBE", "__keyevent@1__:del") == [b"unsubscribe", b"__keyevent@1__:del", 3]
        events.client("acme", db=1).set("k", 1)
        assert client.read() == [b"message", b"__keyspace@1__:k", b"set"]
        gone = [client.ask("UNSUBSCRIBE")] + [client.read() for _ in range(2)]
        assert sorted(entry[1].decode() for entry in gone) == sorted(["news", "__keyspace@1__:k", "__keyevent@0__:del"])
        assert [entry[2] for entry in gone] == [2, 1, 0]
        assert client.ask("SET", "k", 2) == b"OK", "it is no subscriber any more"


def test_one_pattern_for_several_databases(events):
    """In prefix mode Redis can be asked for all of them at once; database mode says that it cannot."""
    with Resp(events.port, "acme", events.secrets["acme"]) as client:
        answer = client.ask("PSUBSCRIBE", "__keyspace@*__:k")
        if events.mode == "database":
            assert "name the database" in answer
            return
        assert answer == [b"psubscribe", b"__keyspace@*__:k", 1]
        for number in range(DATABASES):
            events.client("globex", db=number).set("k", 1)
            events.client("acme", db=number).mset({"k": 1, "kk": 1})
        assert received(client, 2) == [("__keyspace@*__:k", f"__keyspace@{number}__:k", "set") for number in range(DATABASES)]
        assert "at most 1024 bytes" in client.ask("PSUBSCRIBE", "__keyspace@*__:" + "x" * 2_000)


def test_config_says_that_they_are_on(events):
    with Resp(events.port, "acme", events.secrets["acme"]) as client:
        assert client.ask("CONFIG", "GET", "notify-keyspace-events") == [b"notify-keyspace-events", b"AKE"]
        assert client.ask("CONFIG", "SET", "notify-keyspace-events", "Ex") == b"OK"
        assert client.ask("CONFIG", "SET", "notify-keyspace-events", "Q").startswith("ERR Invalid event class")
