"""Two doors that serve the same tenants, and know of each other by the limits store: what both let in stays bounded."""
import contextlib
import threading
import time

import pytest
import redis
import yaml
from cache_stack import CacheStack
from support.paths import partywall_binary
from support.processes import Process, can_connect, free_port
from support.redis_server import RedisServer
from support.sentinel_set import wait_for

KEYS = 400
PATIENCE = 120


class TwoDoors(CacheStack):
    def __init__(self, mode):
        super().__init__(mode=mode)
        self.store = RedisServer()
        for tenant in self.platform["tenants"]:
            at_quota = "evict" if tenant["slug"] == "globex" else "refuse"
            tenant["overrides"] = {"cache": {"keys": KEYS, "megabytes": 64, "at_quota": at_quota}}
        self.passwords["store"] = "nodes' password"
        self.platform["cluster"] = {"node": "first", "expected_nodes": 2, "limits": {
            "address": "127.0.0.1", "port": self.store.port, "login": {"user": "nodes", "password_file": "store"}, "answer_timeout": "5s"}}
        self.ports = [self.port, free_port()]
        self.second = None

    def start(self):
        self.store.start()
        self.store.client().acl_setuser("nodes", enabled=True, reset=True, passwords=["+nodes' password"],
                                        keys=["partywall:limits:*", "{partywall:nodes}:*"],
                                        commands=["+evalsha", "+script|load", "+time", "+get", "+set", "+zadd", "+zrem", "+zremrangebyscore",
                                                  "+zcount", "+zcard"])
        super().start()
        admin = free_port()
        platform = self.platform | {"listen": {"cache": {"address": "127.0.0.1", "port": self.ports[1]},
                                               "admin": {"address": "127.0.0.1", "port": admin}},
                                    "cluster": self.platform["cluster"] | {"node": "second"}}
        file = self.folder / "second.yaml"
        file.write_text(yaml.safe_dump(platform))
        self.second = Process([partywall_binary(), "serve", "-f", file], self.folder / "second.log")
        self.second.wait_until(lambda: can_connect(self.ports[1]) and can_connect(admin), "the second cache door")
        wait_for(lambda: "partywall_limits_live_nodes 2" in self.metrics(), "the nodes to know of each other", PATIENCE)
        return self

    def stop(self):
        status = self.second.stop() if self.second else None
        status = super().stop() or status
        self.store.stop()
        self.store.remove()
        return status

    def at(self, node, slug):
        return redis.Redis(port=self.ports[node], username=slug, password=self.secrets[slug], socket_timeout=60)

    def keys_of(self, slug):
        if self.mode == "database":
            return self.administrator(slug).dbsize()
        return sum(key.startswith(self.prefix(slug)) for key in self.stored())


@pytest.fixture(scope="module", params=["database", "prefix"])
def doors(request):
    stack = TwoDoors(request.param).start()
    yield stack
    assert stack.stop() == 0, "a daemon did not end cleanly"


def write(stack, node, slug, count, refused):
    with contextlib.closing(stack.at(node, slug)) as client:
        for n in range(count):
            try:
                client.set(f"{node}:{threading.get_ident()}:{n}", "x")
            except redis.ResponseError as error:
                assert str(error).startswith("OOM")
                refused.append(n)


def at_both(stack, slug, count):
    refused = []
    threads = [threading.Thread(target=write, args=(stack, node, slug, count, refused)) for node in (0, 1) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    return refused


def test_what_both_let_in_is_bounded_and_then_both_refuse(doors):
    refused = at_both(doors, "acme", KEYS)
    made = doors.keys_of("acme")
    assert made + len(refused) == 4 * KEYS
    # Of what was free when the first one counted, the other one may have let in its half.
    assert KEYS * 0.9 <= made <= KEYS * 1.5
    for node in (0, 1):
        wait_for(lambda node=node: refuses(doors, node), f"node {node} to know", PATIENCE)
    assert doors.keys_of("acme") <= KEYS * 1.5
    first, second = (doors.at(node, "acme") for node in (0, 1))
    second.delete(*list(first.scan_iter(count=1000))[: made - KEYS // 2])
    for client in (first, second):
        wait_for(lambda client=client: takes(client), "room that the other one made", PATIENCE)


def refuses(stack, node):
    try:
        stack.at(node, "acme").set(f"one more {node} {time.monotonic()}", 1)
    except redis.ResponseError as error:
        return str(error).startswith("OOM")
    return False


def takes(client):
    try:
        return client.set("again", 1)
    except redis.ResponseError:
        return False


def test_where_they_evict_both_keep_it_within_the_quota(doors):
    refused = at_both(doors, "globex", KEYS * 2)
    assert refused == [] and doors.keys_of("globex") <= KEYS * 1.5
    settled = [doors.at(node, "globex") for node in (0, 1)]

    def within():
        for number, client in enumerate(settled):
            client.set(f"last {number}", 1)
        return doors.keys_of("globex") <= KEYS
    wait_for(within, "the quota", PATIENCE)
    assert doors.keys_of("globex") > KEYS / 2 and doors.keys_of("slow") == 0
