"""What a tenant costs Redis where Sentinels may put another server in the place of the primary."""
import contextlib

import pytest
import redis
from cache_stack import CacheStack
from support.sentinel_set import SentinelSet, wait_for
from support.waiting import wait_until
from test_redis_time import ENDLESS, bounded, counter, is_refused, neighbour_at_work
from test_sentinel import administrator, place, replicas_follow, take_over
from writers import progressed, start_writers

WRITES_AND_RUNS_ON = """
    redis.call('SET', KEYS[1], 1)
    while true do end"""


@pytest.fixture
def watched():
    """Sentinels that are patient with a server which a script keeps busy."""
    stack = bounded(CacheStack(server=SentinelSet(down_after_ms=15_000), place=place))
    stack.platform["node"]["workers"] = 1  # so that what one client has seen of a new primary all others have
    stack.start()
    wait_for(lambda: replicas_follow(stack), "both replicas", 60)
    yield stack
    assert stack.stop() == 0, "the daemon did not end cleanly"


def end_endless_script(stack):
    """Once acme may begin something again."""
    ended = counter(stack, "scripts_ended", "acme")

    def was_ended():
        with contextlib.suppress(redis.ConnectionError):
            try:
                stack.client("acme").eval(ENDLESS, 0)
            except redis.ResponseError as error:
                return "Script killed by user" in str(error)
    wait_until(was_ended, "a script to be ended", patience=60)
    assert counter(stack, "scripts_ended", "acme") == ended + 1


def test_every_server_can_be_watched(watched):
    """Also those that are replicas now."""
    for node in watched.redis.servers:
        server = administrator(watched, node)
        assert server.config_get("busy-reply-threshold") == {"busy-reply-threshold": "100"}
        assert server.config_get("slowlog-log-slower-than") == {"slowlog-log-slower-than": "100"}
        assert server.execute_command("ACL", "DRYRUN", "partywall-watch", "SCRIPT", "KILL") == "OK"


def test_scripts_are_ended_and_paid_for_at_each_primary(watched):
    for is_last in (False, True):
        charged = counter(watched, "redis_microseconds", "acme")
        with neighbour_at_work(watched):
            end_endless_script(watched)
            wait_until(lambda: is_refused(watched, "acme"), "acme is held back")
        assert counter(watched, "redis_microseconds", "acme") >= charged + 300_000
        assert counter(watched, "over_time", "globex") == 0 and counter(watched, "scripts_ended", "globex") == 0
        if is_last:
            break
        old = take_over(watched)
        wait_for(lambda: watched.redis.primary() is not old, "the Sentinels to see it")
        assert is_refused(watched, "acme"), "what it owes, it owes at every server"
        # What the old one takes before it knows that it is none any more is lost.
        wait_for(lambda: administrator(watched, old).info("replication")["role"] == "slave", "the old one to follow")
        wait_for(lambda: watched.client("globex").set("a", 1), "the new primary")


def test_a_script_that_cannot_be_ended_costs_its_server_the_place():
    """It has written: Redis ends it for nobody. The Sentinels take that server for down, and nobody else waits for it."""
    stack = bounded(CacheStack(server=SentinelSet(), place=place)).start()
    try:
        wait_for(lambda: replicas_follow(stack), "both replicas", 60)
        old = stack.redis.primary()
        writers = start_writers(stack, ("globex",))
        wait_for(progressed(writers), "the writers to begin")
        with pytest.raises(redis.ResponseError, match="outcome is not known|BUSY"):
            stack.client("acme").eval(WRITES_AND_RUNS_ON, 1, "a")
        wait_for(progressed(writers), "writes at the new primary", 60)
        assert stack.redis.primary() is not old
        for writer in writers:
            writer.check(may_lose=True)
        assert counter(stack, "scripts_not_ended", "acme") >= 1 and counter(stack, "scripts_ended", "globex") == 0
        old.kill()
    finally:
        assert stack.stop() == 0, "the daemon did not end cleanly"
