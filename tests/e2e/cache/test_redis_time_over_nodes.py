"""What a tenant costs Redis where two nodes serve it: one budget for all, and no script outlives its limit."""
import contextlib
import threading

import pytest
import redis
import yaml
from cache_stack import CacheStack
from support.paths import partywall_binary
from support.processes import Process, can_connect, free_port
from support.waiting import wait_until
from test_redis_time import ENDLESS, bounded, counter, is_refused


class SecondNode:
    """Another door before the same Redis, that knows nothing of the first one."""

    def __init__(self, stack):
        self.stack, self.port, self.admin_port = stack, free_port(), free_port()
        platform = stack.platform | {"listen": {"cache": {"address": "127.0.0.1", "port": self.port},
                                                "admin": {"address": "127.0.0.1", "port": self.admin_port}}}
        file = stack.folder / "second.yaml"
        file.write_text(yaml.safe_dump(platform))
        self.process = Process([partywall_binary(), "serve", "-f", file], stack.folder / "second.log")
        self.process.wait_until(lambda: can_connect(self.port) and can_connect(self.admin_port), "the second cache door")

    def client(self, slug):
        return redis.Redis(port=self.port, username=slug, password=self.stack.secrets[slug], socket_timeout=60, decode_responses=True)

    def is_refused(self, slug):
        try:
            self.client(slug).get("a")
        except redis.ResponseError as error:
            assert "cache.redis_time" in str(error), error
            return True
        return False


@pytest.fixture(params=["database", "prefix"])
def two(request):
    stack = bounded(CacheStack(mode=request.param)).start()
    second = SecondNode(stack)
    yield stack, second
    assert second.process.stop() == 0 and stack.stop() == 0, "the daemons did not end cleanly"


def test_what_a_tenant_costs_at_one_node_counts_at_the_other(two):
    stack, second = two
    second.client("acme").set("a", 1)  # it watches the servers of tenants that have come by
    with pytest.raises(redis.ResponseError, match="Script killed by user"):
        stack.client("acme").eval(ENDLESS, 0)
    wait_until(lambda: second.is_refused("acme"), "acme is held back at the other node")
    assert not second.is_refused("globex") and not is_refused(stack, "globex")


def test_a_script_of_another_node_holds_nobody_up_beyond_its_limit(two):
    """Its own node ends it, and neighbours at the other one see nothing but that it takes longer."""
    stack, second = two
    neighbour = second.client("globex")
    neighbour.set("a", 1)
    ended = threading.Event()

    def run():
        with contextlib.suppress(redis.ResponseError):
            stack.client("acme").eval(ENDLESS, 0)
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    while not ended.is_set():
        assert neighbour.get("a") == "1"
    thread.join()
    assert neighbour.get("a") == "1"
    wait_until(lambda: counter(stack, "redis_microseconds", "acme") >= 300_000, "acme is charged")


def test_a_script_that_its_own_node_does_not_end_is_ended_by_another():
    """As when that node was killed: the longest limit of all tenants of the Redis counts, as the other node knows it."""
    stack = bounded(CacheStack())
    stack.platform["tiers"]["bounded"]["cache"]["script_time"] = "1m"
    stack.start()
    second = SecondNode(stack)
    try:
        for tier in stack.platform["tiers"].values():
            tier["cache"]["script_time"] = "300ms"
        stack.change_tenant("acme")
        stack.client("globex").set("a", 1)
        with pytest.raises(redis.ResponseError, match="Script killed by user"):
            second.client("acme").eval(ENDLESS, 0)
        assert stack.client("globex").get("a") == "1"
        assert "a script that ran too long was ended" in stack.process.log()
        assert "a script that ran too long was ended" not in second.process.log()
    finally:
        assert second.process.stop() == 0 and stack.stop() == 0, "the daemons did not end cleanly"
