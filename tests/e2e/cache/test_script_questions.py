"""What a tenant's scripts can ask Redis: nothing that concerns a neighbour."""
import json
import secrets

import pytest
import redis
from cache_stack import ADMINISTRATOR
from resp import ErrorReply, Resp, request
from support.paths import REPOSITORY

COMMANDS = json.loads((REPOSITORY / "tools" / "cache_commands" / "redis-7.0.json").read_text())["commands"]
CALL = "return redis.pcall(unpack(ARGV))"


def log_in(cache, slug):
    return Resp(cache.port, slug, cache.secrets[slug])


class Neighbour:
    """Globex, with a mark in everything that it has."""

    def __init__(self, cache):
        self.cache = cache
        self.names, self.values = f"NAME{secrets.token_hex(6)}", f"VALUE{secrets.token_hex(6)}"
        self.key = cache.prefix("globex") + self.names
        client = cache.client("globex", client_name=self.names)
        client.set(self.names, self.values)
        client.hset(self.names + "h", self.values, self.values)
        client.rpush(self.names + "l", self.values)
        client.xadd(self.names + "s", {self.values: self.values})
        client.eval(f"return '{self.values}'", 0)
        self.subscriber = log_in(cache, "globex")
        self.subscriber.ask("CLIENT", "SETNAME", self.names)
        self.subscriber.ask("SUBSCRIBE", self.names)
        self.sharded = log_in(cache, "globex")
        self.sharded.ask("SSUBSCRIBE", self.names)
        self.patterns = log_in(cache, "globex")
        self.patterns.ask("PSUBSCRIBE", self.names + "*")

    def close(self):
        for client in (self.subscriber, self.sharded, self.patterns):
            client.close()

    def unchanged(self):
        stored = self.cache.administrator("globex")
        return stored.get(self.key) == self.values and stored.llen(self.key + "l") == 1 and stored.xlen(self.key + "s") == 1


@pytest.fixture
def neighbour(cache):
    neighbour = Neighbour(cache)
    yield neighbour
    neighbour.close()


def plausible_arguments(name, key):
    words = name.split("|")
    for arguments in ((), ("*",), (key,), ("0",), (key, "*"), (key, key), (key, "0", "-1"), (key, "1", "2"), (key, "-", "+"), (key, "0", key),
                      ("0", "MATCH", "*", "COUNT", "10000"), (key, "0", "MATCH", "*"), ("1", key), ("2", key, key), ("STREAMS", key, "0"),
                      (key, "BY", "nosort", "GET", key), (key, "BY", "nosort", "GET", "*"), ("NOT", key, key), ("MATCH", "*"), ("LIST",),
                      ("ID", "1"), ("TYPE", "normal"), ("1", key, "LEFT"), (key, "0", "1", "COUNT", "10"), ("GET", "*"), ("GET", key)):
        yield [*words, *arguments]


def attempts(key):
    for name in COMMANDS:
        yield from plausible_arguments(name, key)


def sweep(client, key):
    """All answers, with what was asked."""
    words = list(attempts(key))
    for begin in range(0, len(words), 200):
        part = words[begin:begin + 200]
        client.send(b"".join(request("EVAL", CALL, 0, *each) for each in part))
        for each in part:
            yield each, client.read()


def test_no_command_tells_a_script_of_the_neighbour(cache, neighbour):
    acme = log_in(cache, "acme")
    assert acme.ask("SET", "own", "x") == b"OK"
    marks = {neighbour.names, neighbour.values}
    ran = set()
    for key, of_the_neighbour in ((cache.prefix("acme") + "own", False), (neighbour.key, True), (neighbour.key + "h", True),
                                  (neighbour.key + "l", True), (neighbour.key + "s", True)):
        for words, answer in sweep(acme, key):
            # An error, or an answer of COMMAND GETKEYS, repeats what was asked.
            looked_for = {neighbour.values} if of_the_neighbour else marks
            assert not any(mark in repr(answer) for mark in looked_for), (words, answer)
            if not isinstance(answer, ErrorReply):
                ran.add(words[0])
    assert len(ran) > 80 and {"get", "xread", "echo"} <= ran
    assert "pubsub" not in ran
    assert neighbour.unchanged()
    acme.close()


def test_the_control_an_administrators_script_is_told(cache, neighbour):
    """The same questions find the marks where they may be found."""
    administrator = Resp(cache.redis.port, ADMINISTRATOR, cache.passwords["administrator"])
    administrator.ask("SELECT", cache.first_database("globex") if cache.mode == "database" else 0)
    found = {name for name in ("pubsub|channels", "pubsub|shardchannels", "keys", "scan", "client|list", "get", "xread")
             for words in plausible_arguments(name, neighbour.key)
             for answer in [repr(administrator.ask("EVAL", CALL, 0, *words))] if neighbour.names in answer or neighbour.values in answer}
    assert {"pubsub|channels", "pubsub|shardchannels", "keys", "scan", "get"} <= found
    administrator.close()


def test_pubsub_is_the_doors_to_ask(cache, neighbour):
    """What scripts may not ask, the door answers for the tenant alone."""
    acme = cache.client("acme")
    for arguments in (["CHANNELS", "*"], ["SHARDCHANNELS"], ["NUMSUB", f"tenant:{neighbour.names}"]):
        for call in (lambda *words: acme.eval(CALL, 0, *words), lambda *words: acme.execute_command("EVAL_RO", CALL, 0, *words)):
            with pytest.raises(redis.ResponseError, match="can't run this command|NOPERM|permission"):
                call("PUBSUB", *arguments)
    with log_in(cache, "acme") as subscriber, log_in(cache, "acme") as client:
        assert subscriber.ask("SUBSCRIBE", "news")[0] == b"subscribe"
        for _ in range(2):
            assert client.ask("PUBSUB", "CHANNELS") == client.ask("PUBSUB", "CHANNELS", "n*") == [b"news"]
            assert client.ask("PUBSUB", "NUMSUB", "news", neighbour.names) == [b"news", 1, neighbour.names.encode(), 0]
            assert client.ask("PUBSUB", "SHARDCHANNELS") == [] and client.ask("PUBSUB", "SHARDNUMSUB", "x") == [b"x", 0]
            assert client.ask("WATCH", "k") == b"OK"  # while the session has a connection of its own
        assert client.ask("MULTI") == b"OK" and isinstance(client.ask("PUBSUB", "CHANNELS"), ErrorReply)
        assert client.ask("EXEC").startswith("EXECABORT")
        client.ask("HELLO", 3)
        assert client.ask("PUBSUB", "CHANNELS") == [b"news"]
