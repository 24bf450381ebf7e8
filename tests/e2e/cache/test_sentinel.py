"""A primary that dies, hangs or is replaced, under load: who takes over, and what clients see of it."""
import random
import signal

import pytest
from cache_stack import CacheStack
from resp import ErrorReply, Resp
from support.sentinel_set import SentinelSet, wait_for
from writers import Pool, progressed, start_writers


def place(sentinels):
    return {"sentinel": {"primary": sentinels.NAME, "sentinels": [f"127.0.0.1:{node.port}" for node in sentinels.sentinels]}}


@pytest.fixture(scope="module")
def sentinel_stack():
    running = CacheStack(server=SentinelSet(), place=place).start()
    yield running
    assert running.stop() == 0, "the daemon did not end cleanly"


@pytest.fixture
def replicated(sentinel_stack):
    """All servers are there, and one is the primary."""
    wait_for(lambda: replicas_follow(sentinel_stack), "both replicas", 60)
    wait_for(lambda: sentinel_stack.client("acme").set("ready", 1), "the door")
    return sentinel_stack


def replicas_follow(stack):
    primary = stack.redis.primary()
    states = [administrator(stack, node).info("replication") for node in stack.redis.servers if node is not primary]
    return all(state.get("master_port") == primary.port and state["master_link_status"] == "up" for state in states)


def administrator(stack, node):
    return node.client(username="administrator", password=stack.passwords["administrator"])


def test_every_server_has_the_users(replicated):
    for node in replicated.redis.servers:
        users = administrator(replicated, node).acl_users()
        assert {"door", "partywall-subscriber", "partywall-sentinel", "partywall-replica"} <= set(users)
        assert sum(user.startswith("partywall-tenant-") for user in users) == 3
        assert "off" in administrator(replicated, node).acl_getuser("default")["flags"]


def test_sentinels_that_are_gone_do_not_matter_while_the_primary_is_there(replicated):
    for sentinel in replicated.redis.sentinels[:2]:
        sentinel.kill()
    try:
        with Resp(replicated.port, "globex", replicated.secrets["globex"]) as client:
            for number in range(50):
                assert client.ask("SET", f"k{number}", number) == b"OK"
    finally:
        for sentinel in replicated.redis.sentinels[:2]:
            sentinel.start()
    wait_for(lambda: all(replicated.redis._sees_all(node) for node in replicated.redis.sentinels), "all Sentinels")


def take_over(stack):
    """As an operator asks for it."""
    old = stack.redis.primary()
    stack.redis.sentinels[0].client().sentinel_failover(stack.redis.NAME)
    return old


def test_a_takeover_that_is_asked_for(replicated):
    writers = start_writers(replicated)
    wait_for(progressed(writers), "the writers to begin")
    old = take_over(replicated)
    wait_for(lambda: replicated.redis.primary() is not old, "the Sentinels to see it")
    wait_for(progressed(writers), "writes at the new primary")
    for writer in writers:
        writer.check(may_lose=True)


def test_what_is_bound_to_the_old_primary_ends(replicated):
    secret = replicated.secrets["acme"]
    clients = {name: Resp(replicated.port, "acme", secret) for name in ("plain", "blocked", "transaction", "subscriber")}
    clients["blocked"].ask("SET", "a", 1)
    clients["blocked"].send(b"*3\r\n$5\r\nBLPOP\r\n$5\r\nempty\r\n$1\r\n0\r\n")
    assert clients["transaction"].ask("MULTI") == b"OK"
    assert clients["transaction"].ask("SET", "in-transaction", 1) == b"QUEUED"
    clients["subscriber"].ask("SUBSCRIBE", "news")
    assert clients["plain"].ask("SET", "b", 1) == b"OK"
    take_over(replicated)
    # The blocked one gets an error (the door's, or before that the one of the primary that is none any more) and may
    # go on; the others lose something and see it by the end of their connection.
    reply = clients["blocked"].read()
    assert "outcome is not known" in reply or "UNBLOCKED" in reply
    assert clients["subscriber"].is_closed()

    # What the old primary takes before it knows that it is none any more is lost: Redis replicates asynchronously.
    def writes_again():
        reply = clients["plain"].ask("SET", "b", 2)
        return not isinstance(reply, ErrorReply) and clients["blocked"].ask("GET", "b") == b"2"
    wait_for(writes_again, "both at the new primary")
    assert "transaction" in clients["transaction"].ask("SET", "in-transaction", 2)
    assert clients["transaction"].is_closed()
    assert clients["plain"].ask("EXISTS", "in-transaction") == 0


def test_a_primary_that_hangs_leaves_no_client_without_an_answer(replicated):
    old = replicated.redis.primary()
    writers = start_writers(replicated)
    wait_for(progressed(writers), "the writers to begin")
    old.send_signal(signal.SIGSTOP)
    try:
        wait_for(progressed(writers), "writes at the new primary")
        assert all(writer.unknown for writer in writers), "each waited for the one that hangs"
    finally:
        old.send_signal(signal.SIGCONT)
    wait_for(lambda: administrator(replicated, old).info("replication")["role"] == "slave", "the old one to follow")
    wait_for(progressed(writers), "writes afterwards")
    for writer in writers:
        writer.check(may_lose=True)


def test_a_primary_that_is_killed(replicated):
    old = replicated.redis.primary()
    writers = start_writers(replicated)
    wait_for(progressed(writers), "the writers to begin")
    old.kill()
    wait_for(progressed(writers), "writes at the new primary")
    assert replicated.redis.primary() is not old
    for writer in writers:
        writer.check(may_lose=True)


def asked_to_leave(stack, old):
    wait_for(lambda: stack.redis.sentinels[0].client().sentinel_failover(stack.redis.NAME), "the Sentinels to agree")
    return lambda: None


def killed(_stack, old):
    old.kill()
    return old.start


def hanging(_stack, old):
    old.send_signal(signal.SIGSTOP)
    return lambda: old.send_signal(signal.SIGCONT)


@pytest.mark.long
def test_one_takeover_after_the_other(replicated):
    """The same connections, and pools of them, all the time: no write is repeated, no answer is somebody else's."""
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    writers, pools = start_writers(replicated), [Pool(replicated, slug) for slug in ("acme", "globex")]
    for turn in range(15):
        old = replicated.redis.primary()
        way = dice.choice([asked_to_leave, killed, hanging])
        back = way(replicated, old)
        what = f"(turn {turn}, {way.__name__}, seed {seed})"
        wait_for(lambda: replicated.redis.primary() is not old, "another primary " + what, 60)
        for goes_on in (progressed(writers), *(pool.progressed() for pool in pools)):
            wait_for(goes_on, "work at the new primary " + what, 60)
        back()
        wait_for(lambda: replicas_follow(replicated), "all replicas " + what, 60)
    for pool in pools:
        pool.finish()
    for writer in writers:
        writer.check(may_lose=True)
