"""Random streams of two tenants, interleaved through the door, give what plain Redis gives to each alone, in each of their databases."""
import random

import pytest
from cache_stack import CacheStack
from resp import Resp, request
from support.redis_server import RedisServer

KEYS = [f"key:{n}" for n in range(8)]
DATABASES = 3


def strings(r):
    key = r.choice(KEYS)
    return r.choice([
        ["SET", key, r.randint(0, 9)], ["GET", key], ["INCR", key], ["APPEND", key, "x"], ["STRLEN", key], ["GETRANGE", key, 0, 2],
        ["MSET", key, 1, r.choice(KEYS), 2], ["MGET", *KEYS], ["SETNX", key, 5], ["GETDEL", key], ["SETBIT", key, 7, 1], ["BITCOUNT", key]])


def collections(r):
    key = r.choice(KEYS)
    return r.choice([
        ["RPUSH", key, *range(r.randint(1, 4))], ["LRANGE", key, 0, -1], ["LPOP", key], ["LLEN", key], *([["BLPOP", key, "0.01"]] if r.random() < 0.2 else []),
        ["HSET", key, "f", r.randint(0, 9)], ["HGETALL", key], ["HINCRBY", key, "f", 2], ["SADD", key, 1, 2, 3], ["SCARD", key],
        ["SISMEMBER", key, 2], ["ZADD", key, 1, "a", 2, "b"], ["ZRANGE", key, 0, -1, "WITHSCORES"], ["ZSCORE", key, "a"], ["SORT", key, "ALPHA"]])


def keyspace(r):
    key = r.choice(KEYS)
    return r.choice([
        ["DEL", key], ["EXISTS", *KEYS], ["TYPE", key], ["RENAME", key, r.choice(KEYS)], ["DBSIZE"], ["PERSIST", key], ["TTL", key],
        ["FLUSHDB"], ["FLUSHALL"], ["PING"], ["ECHO", "hello"], ["OBJECT", "ENCODING", key], ["TOUCH", key], *[["SELECT", r.choice([*range(DATABASES), 100_000, "x"])]] * 2,
        ["GET"], ["SET", key], ["LRANGE", key, "x", "y"], ["EVAL", "return redis.call('GET', KEYS[1])", 1, key],
        ["EVAL", "return {1, 'two', {3, false}}", 0], ["EVAL", "return redis.error_reply('MINE no')", 0], ["CLIENT", "GETNAME"],
        ["CLIENT", "SETNAME", "me"]])


def between_databases(r):
    """In prefix mode only."""
    key, number = r.choice(KEYS), r.choice([*range(DATABASES), 100_000, "x"])
    return r.choice([
        ["MOVE", key, number], ["MOVE", key, number], ["COPY", key, r.choice(KEYS)], ["COPY", key, r.choice(KEYS), "DB", number],
        ["COPY", key, r.choice(KEYS), "DB", number, "REPLACE"], ["COPY", key, r.choice(KEYS), "REPLACE"], ["COPY", key], ["MOVE", key],
        ["COPY", key, key, "NOSUCH"], ["COPY", key, key, "DB"]])


def transactions(r):
    inside = [r.choice([strings, collections])(r) for _ in range(r.randint(0, 3))]
    ending = r.choice([["EXEC"], ["EXEC"], ["DISCARD"]])
    before = [["WATCH", r.choice(KEYS)]] if r.random() < 0.3 else []
    return [*before, ["MULTI"], *inside, ending]


def stream(r, length, mode):
    commands = []
    kinds = [strings, strings, collections, keyspace] + [between_databases] * (mode == "prefix")
    while len(commands) < length:
        kind = r.random()
        if kind < 0.1:
            commands += transactions(r)
        else:
            commands.append(r.choice(kinds)(r))
    return commands


def in_batches(r, commands):
    while commands:
        size = r.choice([1, 1, 2, 5, 30])
        yield commands[:size]
        commands = commands[size:]


@pytest.fixture(scope="module")
def plain():
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module", params=["database", "prefix"])
def several(request):
    stack = CacheStack(mode=request.param, databases=DATABASES).start()
    yield stack
    assert stack.stop() == 0


def answers_of_plain_redis(plain, commands, protocol):
    with Resp(plain.port) as client:
        client.ask("FLUSHALL")
        client.ask("HELLO", protocol)
        client.ask("CLIENT", "SETNAME", "")
        return [client.ask(*words) for words in commands]


@pytest.mark.parametrize("seed", range(6))
def test_two_tenants_as_if_each_were_alone(several, plain, seed):
    for slug in ("acme", "globex"):
        several.client(slug).flushall()
    r = random.Random(seed)
    protocol = r.choice([2, 3])
    slugs = ["acme", "globex"]
    streams = {slug: stream(r, 400, several.mode) for slug in slugs}
    expected = {slug: answers_of_plain_redis(plain, streams[slug], protocol) for slug in slugs}
    clients = {slug: Resp(several.port) for slug in slugs}
    answers = {slug: [] for slug in slugs}
    for slug, client in clients.items():
        client.ask("HELLO", protocol, "AUTH", slug, several.secrets[slug])
    batches = {slug: in_batches(r, streams[slug]) for slug in slugs}
    waiting = {slug: 0 for slug in slugs}
    while batches:
        slug = r.choice(list(batches))
        for _ in range(waiting[slug]):
            answers[slug].append(clients[slug].read())
        batch = next(batches[slug], None)
        waiting[slug] = len(batch or ())
        if batch is None:
            del batches[slug]
        else:
            # In two parts, cut anywhere.
            data = b"".join(request(*words) for words in batch)
            cut = r.randint(0, len(data))
            clients[slug].send(data[:cut])
            clients[slug].send(data[cut:])
    for client in clients.values():
        client.close()
    for slug in slugs:
        for words, wanted, got in zip(streams[slug], expected[slug], answers[slug], strict=True):
            assert got == wanted, f"{slug}: {words}"
