"""What is shared beside keys: channels, connections, replies under way, transactions."""
import contextlib
import random
import threading
import time

import pytest

from oracle import SECRET
from support.raw_resp import ErrorReply, RawResp, command


def messages_within(connection, seconds):
    """Everything that a subscriber gets in that time, as one text."""
    deadline, received = time.monotonic() + seconds, b""
    while (left := deadline - time.monotonic()) > 0:
        connection.socket.settimeout(left)
        try:
            received += connection.receive()
        except TimeoutError:
            break
    return received


def subscribe(connection, words):
    connection.send(command(*words))
    return connection.read_reply()


LISTENING = [("SUBSCRIBE", "news"), ("PSUBSCRIBE", "*"), ("PSUBSCRIBE", "*ew*"), ("PSUBSCRIBE", "tenant:*"),
             ("SUBSCRIBE", "tenant:{globex}:news"), ("PSUBSCRIBE", "tenant:{globex}:*"), ("PSUBSCRIBE", "?enant*"),
             ("SSUBSCRIBE", "news"), ("PSUBSCRIBE", "__key*__:*"), ("SUBSCRIBE", "__keyspace@2__:secret"),
             ("SUBSCRIBE", "__redis__:invalidate"), ("PSUBSCRIBE", "[!x]*"), ("PSUBSCRIBE", "\\*")]


@pytest.mark.parametrize("words", LISTENING, ids=" ".join)
def test_channels_of_the_neighbour_are_silent(lab, words):
    words = [word.format(globex=lab.tenant_id("globex")) for word in words]
    with lab.raw_cache("acme") as spy, lab.raw_cache("globex") as subscriber:
        subscribe(spy, words)
        subscribe(subscriber, ("SUBSCRIBE", "news"))
        with lab.raw_cache("globex") as publisher:
            assert publisher.command("PUBLISH", "news", SECRET) == 1, "only globex's own subscriber counts"
            publisher.command("SPUBLISH", "news", SECRET)
            publisher.command("SET", "secret", SECRET)
        assert SECRET.encode() in messages_within(subscriber, 0.15), "the control: it was published"
        assert SECRET.encode() not in messages_within(spy, 0.15)


def test_own_channels_work(lab):
    """Otherwise the silence above would prove nothing."""
    with lab.raw_cache("acme") as one, lab.raw_cache("acme") as other:
        assert subscribe(one, ("PSUBSCRIBE", "n*")) == [b"psubscribe", b"n*", 1]
        assert other.command("PUBLISH", "news", "hello") == 1
        assert one.read_reply() == [b"pmessage", b"n*", b"news", b"hello"]


@pytest.mark.parametrize("channel", ["news", "tenant:{globex}:news", "tenant:{globex}:", "*"])
def test_nobody_publishes_to_the_neighbour(lab, channel):
    channel = channel.format(globex=lab.tenant_id("globex"))
    with lab.raw_cache("globex") as subscriber, lab.raw_cache("acme") as forger:
        subscribe(subscriber, ("PSUBSCRIBE", "*"))
        assert forger.command("PUBLISH", channel, "forged") == 0
        forger.command("EVAL", "return redis.call('PUBLISH', KEYS[1], 'forged')", 1, channel)
        forger.command("SPUBLISH", channel, "forged")
        assert b"forged" not in messages_within(subscriber, 0.1)
        assert SECRET not in repr(forger.command("PUBSUB", "CHANNELS", "*"))
        assert forger.command("PUBSUB", "CHANNELS", "*") == []
        assert forger.command("PUBSUB", "NUMSUB", channel)[1:] == [0]


def test_plain_redis_shares_its_channels(redis_server):
    """The control: databases do not separate channels."""
    with RawResp(redis_server.port) as spy, RawResp(redis_server.port) as publisher:
        assert spy.command("SELECT", 1) == publisher.command("SELECT", 2) == b"OK"
        subscribe(spy, ("PSUBSCRIBE", "*"))
        publisher.command("PUBLISH", "news", SECRET)
        assert SECRET.encode() in messages_within(spy, 0.1)


TRACKING = [("CLIENT", "TRACKING", "ON", "BCAST"), ("CLIENT", "TRACKING", "ON"), ("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "s")]


@pytest.mark.parametrize("words", TRACKING, ids=" ".join)
def test_no_tracking_of_the_neighbours_keys(lab, words):
    with lab.raw_cache() as spy, lab.raw_cache("globex") as neighbour:
        assert isinstance(spy.command("HELLO", 3, "AUTH", *lab.cache_login("acme")), dict)
        spy.command(*words)
        spy.command("GET", "secret")
        neighbour.command("SET", "secret", SECRET)
        assert b"secret" not in messages_within(spy, 0.1)


def test_plain_redis_tells_all_keys_to_trackers(redis_server):
    """The control."""
    with RawResp(redis_server.port) as spy, RawResp(redis_server.port) as neighbour:
        spy.command("HELLO", 3)
        spy.command("SELECT", 1)
        assert spy.command(*TRACKING[0]) == b"OK"
        neighbour.command("SELECT", 2)
        neighbour.command("SET", "secret", SECRET)
        assert b"secret" in messages_within(spy, 0.1)


def test_monitor_shows_nothing(lab, redis_server):
    with lab.raw_cache("acme") as spy:
        assert isinstance(spy.command("MONITOR"), ErrorReply)
        lab.cache("globex").set("secret", SECRET)
        assert SECRET.encode() not in messages_within(spy, 0.1)
    with RawResp(redis_server.port) as spy:
        spy.command("MONITOR")
        redis_server.client(db=2).set("secret", SECRET)
        assert SECRET.encode() in messages_within(spy, 0.1), "the control"


def test_what_one_client_leaves_open_is_nobody_elses(lab):
    """MULTI, WATCH, SUBSCRIBE, CLIENT REPLY OFF and a blocking command, left by a connection that breaks off."""
    lab.redis_administrator("acme").flushdb()
    lab.redis_administrator("globex").flushdb()
    leftovers = [("MULTI",), ("SET", "left", "open")], [("WATCH", "a")], [("SUBSCRIBE", "a")], [("CLIENT", "REPLY", "OFF")], \
        [("BLPOP", "queue", 0)], [("HELLO", 3)], [("CLIENT", "SETNAME", "left")]
    for words in leftovers:
        connection = lab.raw_cache("acme")
        connection.send(b"".join(command(*one) for one in words))
        time.sleep(0.01)
        connection.abort()
        for tenant in ("acme", "globex", "acme"):
            with lab.raw_cache(tenant) as next_client:
                assert next_client.command("SET", "key", tenant) == b"OK", words
                assert next_client.command("GET", "key") == tenant.encode(), words
                assert next_client.command("HGETALL", "none") == [], "RESP2, as nobody said otherwise"
    assert lab.redis_administrator("acme").exists("left") == 0
    with lab.raw_cache("acme") as connection:
        assert connection.command("RPUSH", "queue", "job") == 1, "nobody waits for it any more"
        assert connection.command("LPOP", "queue") == b"job"


def test_switching_the_tenant_in_a_pipeline(lab):
    """An application says before each command for whom it is; the answers are each tenant's, in order."""
    login = lab.run["application"]["user"]
    contexts = {tenant: lab.context(tenant, "cache") for tenant in ("acme", "globex")}
    for tenant in contexts:
        lab.redis_administrator(tenant).set("whose", tenant)
    order = [random.Random(5).choice(["acme", "globex"]) for _ in range(200)]
    with lab.raw_cache() as connection:
        connection.send(b"".join(command("AUTH", login, contexts[one]) + command("GET", "whose") for one in order))
        answers = [(connection.read_reply(), connection.read_reply()) for _ in order]
    assert answers == [(b"OK", one.encode()) for one in order]


def test_a_refused_context_ends_the_login_before_it(lab):
    login = lab.run["application"]["user"]
    lab.redis_administrator("acme").set("whose", "acme")
    good, other_door = lab.context("acme", "cache"), lab.context("acme", "sql")
    expired = lab.context("acme", "cache", ttl="1s")
    head, payload, mac = good.split(".")
    forged = {
        "made for the sql door": other_door,
        "changed payload": f"{head}.{payload[:-6]}{'A' if payload[-6] != 'A' else 'B'}{payload[-5:]}.{mac}",
        "payload of globex": f"{head}.{lab.context('globex', 'cache').split('.')[1]}.{mac}",
        "no signature": f"{head}.{payload}.",
        "another version": f"pw2.{payload}.{mac}",
        "a tenant's UUID": lab.tenant_id("globex"),
        "a web token with another signature": lab.token("globex")[:-8] + "AAAAAAAA",
        "nothing": "",
        "much": "x" * 100_000,
    }
    time.sleep(2.1)
    forged["expired"] = expired
    for what, context in forged.items():
        with lab.raw_cache() as connection:
            assert connection.command("AUTH", login, good) == b"OK"
            assert connection.command("GET", "whose") == b"acme", "the control: a good one is accepted"
            connection.send(command("AUTH", login, context) + command("GET", "whose"))
            assert isinstance(connection.read_reply(), ErrorReply), what
            assert isinstance(connection.read_reply(), ErrorReply), what


def test_a_context_does_not_open_another_tenants_login(lab):
    """acme's own user name with globex's context, and the other way round, in AUTH and HELLO."""
    contexts = {tenant: lab.context(tenant, "cache") for tenant in ("acme", "globex")}
    for user, whose in (("acme", "globex"), ("globex", "acme")):
        for words in (("AUTH", user, contexts[whose]), ("HELLO", 3, "AUTH", user, contexts[whose])):
            with lab.raw_cache() as connection:
                assert isinstance(connection.command(*words), ErrorReply), words[:3]
                assert isinstance(connection.command("GET", "x"), ErrorReply)


class Client(threading.Thread):
    """Asks for values that say whose they are and which, in pipelines that it often abandons."""

    def __init__(self, lab, tenant, seed, until):
        super().__init__(daemon=True)
        self.lab, self.tenant, self.until = lab, tenant, until
        self.random = random.Random(f"{tenant} {seed}")
        self.answers, self.abandoned, self.foreign = 0, 0, []

    def run(self):
        try:
            while time.monotonic() < self.until and not self.foreign:
                self.one_connection()
        except Exception as problem:  # noqa: BLE001: the test reports it
            self.foreign.append(repr(problem))

    def one_connection(self):
        connection = self.lab.raw_cache(self.tenant)
        for _ in range(self.random.randint(1, 6)):
            keys = [self.random.randrange(40) for _ in range(self.random.randint(1, 30))]
            connection.send(b"".join(command("GET", f"k{key}") for key in keys))
            read = self.random.choice([0, len(keys) // 2, len(keys), len(keys), len(keys)])
            for key in keys[:read]:
                self.check(connection.read_reply(), key)
            if read < len(keys):
                self.abandoned += 1
                if self.random.random() < 0.5:
                    with contextlib.suppress(OSError):
                        connection.socket.recv(self.random.randint(1, 5000))
                break
        self.random.choice([connection.close, connection.abort])()

    def check(self, value, key):
        self.answers += 1
        if value != expected(self.tenant, key):
            self.foreign.append(f"{self.tenant} asked for k{key} and received {value!r:.80}")


def expected(tenant, key):
    return f"{tenant}-{key}-".encode() * (1 + (key * 37) % 300)


def test_abandoned_replies_reach_nobody(lab):
    """Clients that leave with replies outstanding, at random points; no answer ever goes to somebody else."""
    for tenant in ("acme", "globex"):
        client = lab.redis_administrator(tenant)
        client.flushdb()
        client.mset({f"k{key}": expected(tenant, key) for key in range(40)})
    until = time.monotonic() + 3
    clients = [Client(lab, tenant, seed, until) for tenant in ("acme", "globex") for seed in range(3)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(30)
    assert [found for client in clients for found in client.foreign] == []
    assert sum(client.answers for client in clients) > 100 and sum(client.abandoned for client in clients) > 20
