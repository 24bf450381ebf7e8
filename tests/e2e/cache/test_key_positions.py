"""Where the door finds the keys of a command is where Redis finds them: random legal requests of every command in the
table go through the door, and what arrives at Redis (MONITOR) is compared with COMMAND GETKEYSANDFLAGS."""
import json
import pathlib
import random

import pytest
from cache_stack import ADMINISTRATOR, tenant_id
from resp import ErrorReply, Resp
from support.paths import REPOSITORY

TOOLS = pathlib.Path(REPOSITORY) / "tools" / "cache_commands"
COMMANDS = json.loads((TOOLS / "redis-7.0.json").read_text())["commands"]
PASSED_ON = ("plain", "blocking", "watch")
END = "the-end"


def commands_with_keys():
    for line in (TOOLS / "policy.txt").read_text().splitlines():
        kind, _, names = line.split("#")[0].partition(": ")
        if kind in PASSED_ON:
            yield from (name for name in names.split() if name in COMMANDS and COMMANDS[name]["keys"])


class Vectors:
    """Random legal arguments; no two are the same, so that each is found again."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.next = 0

    def key(self):
        self.next += 1
        return f"k{self.next}"

    def keys(self, count):
        return [self.key() for _ in range(count)]

    def counted(self):
        count = self.random.randint(1, 3)
        return [str(count), *self.keys(count)]

    def some(self, *options):
        """A random choice of options, each a list, in random order."""
        chosen = [option for option in options if self.random.random() < 0.5]
        self.random.shuffle(chosen)
        return [word for option in chosen for word in option]

    def sort(self, *more):
        return [self.key(), *self.some(["LIMIT", "STORE", "0"], ["ALPHA"], ["DESC"], *more)]

    def geo(self, *center):
        count = self.some(["COUNT", "1"])
        destination = self.some(["STORE", self.key()]) or self.some(["STOREDIST", self.key()])
        return [self.key(), *center, *self.some(["WITHDIST"], ["ASC"]), *count, *destination]

    def streams(self, *before):
        count = self.random.randint(1, 3)
        return [*before, *self.some(["COUNT", "7"]), "STREAMS", *self.keys(count), *["0"] * count]

    def arguments(self, name, arity):
        store = ["STORE", self.key()]
        special = {
            "sort": lambda: self.sort(store), "sort_ro": self.sort,
            "georadius": lambda: self.geo("1", "2", "3", "km"), "georadiusbymember": lambda: self.geo("STORE", "3", "km"),
            "xread": self.streams, "xreadgroup": lambda: self.streams("GROUP", "STREAMS", "c"),
            "blmpop": lambda: ["0.01", *self.counted(), "LEFT"], "bzmpop": lambda: ["0.01", *self.counted(), "MIN"],
            "lmpop": lambda: [*self.counted(), "LEFT"], "zmpop": lambda: [*self.counted(), "MAX"],
            "pfmerge": lambda: self.keys(self.random.randint(2, 4)),  # Redis 7.0 finds no keys without a source
            "mset": lambda: self.keys(2 * self.random.randint(1, 3)), "msetnx": lambda: self.keys(2 * self.random.randint(1, 3)),
            "blmove": lambda: [*self.keys(2), "LEFT", "RIGHT", "0.01"], "brpoplpush": lambda: [*self.keys(2), "0.01"],
            **{name: lambda: [*self.keys(self.random.randint(1, 3)), "0.01"] for name in ("blpop", "brpop", "bzpopmin", "bzpopmax")},
            **{name: lambda: ["return-1", *self.counted(), *self.keys(2)] for name in ("eval", "eval_ro", "evalsha", "evalsha_ro")},
            **{name: lambda: [self.key(), *self.counted(), *self.some(["WEIGHTS", "1"])]
               for name in ("zunionstore", "zinterstore", "zdiffstore")},
            **{name: self.counted for name in ("zunion", "zinter", "zdiff", "sintercard", "zintercard")},
        }
        if name in special:
            return special[name]()
        extra = 0 if arity >= 0 else self.random.randint(0, 4)
        return self.keys(abs(arity) - len(name.split("|")) + extra)


def keys_by_redis(plain, words):
    """The arguments that Redis takes for keys, patterns of SORT apart."""
    answer = plain.ask("COMMAND", "GETKEYSANDFLAGS", *words)
    assert isinstance(answer, list), f"{words}: {answer}"
    return {key.decode() for key, _ in answer}


@pytest.mark.parametrize("seed", range(3))
def test_keys_are_found_where_redis_finds_them(prefixed, seed):
    vectors, prefix = Vectors(seed), prefixed.prefix("acme")
    sent = []
    with prefixed.administrator().monitor() as monitor, Resp(prefixed.port, "acme", prefixed.secrets["acme"]) as client, \
            Resp(prefixed.redis.port, ADMINISTRATOR, prefixed.passwords["administrator"]) as plain:
        for name in commands_with_keys():
            for _ in range(3):
                words = [*name.split("|"), *vectors.arguments(name, COMMANDS[name]["arity"])]
                sent.append((words, keys_by_redis(plain, words)))
                answer = client.ask(*words)
                assert not (isinstance(answer, ErrorReply) and answer.startswith("NOPERM")), (words, answer)
                assert prefix not in str(answer), (words, answer)
        client.ask("ECHO", END)
        arrived = arrived_at_redis(monitor)
    assert len(sent) > 400 and len(arrived) == len(sent)
    for (words, keys), there in zip(sent, arrived):
        assert there == [prefix + word if word in keys else word for word in words], f"Redis: keys of {words} are {keys}"


def arrived_at_redis(monitor):
    """What the tenant's connections have sent, in order, because the client waits for each answer. No word has a blank."""
    arrived = []
    for command in monitor.listen():
        words = command["command"].split(" ")
        if words == ["ECHO", END]:
            return arrived
        # Others are the door's own: its handshake, what it asks about scripts, and what it writes down about keys.
        if command["client_type"] == "lua" or "partywall-keys:" in command["command"]:
            continue
        if words[0].lower() not in ("auth", "client", "hello", "select", "info", "command", "script", "unwatch"):
            arrived.append(words)
    raise AssertionError("the monitor ended")


@pytest.mark.parametrize("words", [
    ["EVAL", "return 1", "2", "a"], ["EVAL", "return 1", "-1", "a"], ["EVAL", "return 1", "x", "a"], ["ZUNIONSTORE", "d", "9", "a"],
    ["LMPOP", "01", "a", "LEFT"], ["XREAD", "STREAMS", "a", "b", "0"], ["XREAD", "COUNT", "1", "STREAMS", "a"], ["SORT", "a", "NOSUCH", "STORE", "b"],
    ["GEORADIUS", "a", "1", "2", "3", "km", "NOSUCH", "STORE", "b"], ["SORT", "a", "STORE"], ["MSET", "a", "1", "b"], ["BITOP", "NOT"],
    ["OBJECT", "ENCODING"], ["GET"], ["XGROUP", "CREATE", "a"],
])
def test_keys_that_cannot_be_found_are_an_error(prefixed, words):
    """Redis's own, in its own words; nothing is touched."""
    with Resp(prefixed.port, "acme", prefixed.secrets["acme"]) as client, \
            Resp(prefixed.redis.port, ADMINISTRATOR, prefixed.passwords["administrator"]) as plain:
        answer = client.ask(*words)
        assert isinstance(answer, ErrorReply) and answer == plain.ask(*words)
        assert tenant_id("acme") not in answer
    assert prefixed.stored() == []
