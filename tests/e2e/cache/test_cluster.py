"""Redis Cluster behind the door: clients see one server, whatever the slots and the nodes do."""
import contextlib
import random
import socket

import pytest
import redis
from cache_stack import CacheStack
from redis.crc import key_slot
from resp import ErrorReply, Resp, request
from support.redis_cluster import RedisCluster
from support.sentinel_set import wait_for
from writers import Pool, progressed, start_writers


def place(cluster):
    return {"cluster": {"nodes": [f"127.0.0.1:{node.port}" for node in cluster.servers[:3]]}}


class ClusterStack(CacheStack):
    def __init__(self):
        super().__init__(mode="prefix", server=RedisCluster(), place=place, databases=2)
        self.platform["cells"]["main"]["cache"]["keyspace_events"] = True
        self.platform["tenants"][2]["overrides"] = small("evict")

    def at(self, node):
        return node.client(username="administrator", password=self.passwords["administrator"])

    def slot(self, slug):
        return key_slot(self.prefix(slug).encode())

    def home(self, slug):
        return self.redis.node_of(self.at)(self.slot(slug))


@pytest.fixture(scope="module")
def cluster():
    running = ClusterStack().start()
    wait_for(lambda: running.client("acme").set("ready", 1), "the door")
    yield running
    assert running.stop() == 0, "the daemon did not end cleanly"


def test_all_nodes_have_the_users(cluster):
    for node in cluster.redis.servers:
        assert {"door", "partywall-subscriber", "partywall-replica"} <= set(cluster.at(node).acl_users())
        assert "off" in cluster.at(node).acl_getuser("default")["flags"]


def test_a_tenant_is_on_the_node_of_its_tag_and_sees_a_server_of_its_own(cluster):
    for slug in ("acme", "globex"):
        client = cluster.client(slug)
        client.flushdb()
        pipeline = client.pipeline(transaction=True)
        for number in range(50):
            pipeline.set(f"key-{number}", slug)
        pipeline.execute()
        assert client.mget("key-1", "key-2") == [slug, slug]
        assert client.eval("return redis.call('GET', KEYS[1])", 1, "key-3") == slug
        assert client.dbsize() == 50
        there = cluster.at(cluster.home(slug)).execute_command("CLUSTER", "GETKEYSINSLOT", cluster.slot(slug), 100)
        assert sum(key.startswith(cluster.prefix(slug)) for key in there) == 50
        assert client.info("server")["redis_mode"] != "cluster"


def test_a_tenants_databases_and_what_it_hears_of_them_are_on_its_node(cluster):
    first, second = cluster.client("acme"), cluster.client("acme", db=1)
    first.flushall()
    with Resp(cluster.port, "acme", cluster.secrets["acme"]) as listener:
        assert listener.ask("SUBSCRIBE", "__keyevent@1__:copy_to") == [b"subscribe", b"__keyevent@1__:copy_to", 1]
        assert listener.ask("PSUBSCRIBE", "__keyspace@*__:moved")[2] == 2
        first.mset({"k": 1, "moved": 2})
        for slug, value in (("globex", "globex's"), ("acme", "acme's")):
            cluster.client(slug).set("k", value)
            assert cluster.client(slug).copy("k", "k", destination_db=1, replace=True)
        assert first.move("moved", 1) and second.mget("k", "moved") == ["acme's", "2"] and first.keys() == ["k"]
        assert cluster.client("globex", db=1).get("k") == "globex's"
        assert [listener.read()[1:] for _ in range(4)] == [
            [b"__keyspace@*__:moved", b"__keyspace@0__:moved", b"set"], [b"__keyevent@1__:copy_to", b"k"],
            [b"__keyspace@*__:moved", b"__keyspace@0__:moved", b"rename_from"], [b"__keyspace@*__:moved", b"__keyspace@1__:moved", b"rename_to"]]
        first.flushall()
        assert second.dbsize() == 0
    with Resp(cluster.port, "acme", cluster.secrets["acme"]) as client:
        assert "not available on a Redis Cluster" in client.ask("CLIENT", "TRACKING", "ON")


def small(at_quota):
    return {"cache": {"keys": 100, "megabytes": 2, "at_quota": at_quota}, "cache_rate": {"per_second": 1_000_000, "burst": 1_000_000}}


def test_quotas_hold_and_evict_the_tenants_own_keys_only(cluster):
    slow, acme = cluster.client("slow"), cluster.client("acme")
    acme.mset({f"kept:{n}": n for n in range(200)})
    kept = acme.dbsize()
    for n in range(300):
        assert slow.set(f"key:{n}", "x")
    assert 50 < slow.dbsize() <= 100 and slow.get("key:299") == "x"
    for n in range(40):
        assert slow.set(f"big:{n}", "x" * 200_000)
    assert sum(slow.memory_usage(key) for key in slow.scan_iter(count=1000)) < 3 << 20
    assert acme.dbsize() == kept
    cluster.change_tenant("slow", overrides=small("refuse"))
    slow.flushdb()
    wait_for(lambda: refuses(slow), "the quota to refuse")
    assert slow.dbsize() <= 100
    slow.delete("more:1")
    assert slow.set("in its place", 1) and acme.dbsize() == kept


def refuses(client):
    for n in range(101):
        try:
            client.set(f"more:{n}", 1)
        except redis.ResponseError as error:
            return str(error).startswith("OOM")
    return False


def move_slot(stack, slot, source, target, between=lambda: None):
    """What redis-cli --cluster reshard does; `between` is called when half of the keys have moved."""
    ids = {node: stack.at(node).execute_command("CLUSTER", "MYID") for node in (source, target)}
    stack.at(target).execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
    stack.at(source).execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target])
    first = True
    while keys := stack.at(source).execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1):
        stack.at(source).execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "AUTH2", "administrator",
                                         stack.passwords["administrator"], "KEYS", *keys)
        if first:
            between()
            first = False
    for node in (target, source):
        stack.at(node).execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[target])


def test_a_slot_that_moves_under_load_loses_and_repeats_nothing(cluster):
    source = cluster.home("acme")
    target = next(node for node in cluster.redis.servers[:3] if node is not source)
    writers = start_writers(cluster)
    wait_for(progressed(writers), "the writers to begin")
    move_slot(cluster, cluster.slot("acme"), source, target, between=lambda: wait_for(progressed(writers), "writes meanwhile"))
    wait_for(progressed(writers), "writes afterwards")
    assert cluster.home("acme") is target
    for writer in writers:
        writer.check(may_lose=False)
        assert not writer.unknown
        if writer.slug == "globex":
            assert not writer.refused, "the others do not notice"


def test_pipelines_keep_their_order_while_a_slot_moves(cluster):
    source = cluster.home("acme")
    target = next(node for node in cluster.redis.servers[:3] if node is not source)
    cluster.client("acme").delete("counter")
    with Resp(cluster.port, "acme", cluster.secrets["acme"]) as client:
        rounds = []

        def pipeline():
            client.send(request("INCR", "counter") * 200)
            replies = [client.read() for _ in range(200)]
            numbers = [reply for reply in replies if isinstance(reply, int)]
            assert numbers == sorted(set(numbers)), "out of order, or twice"
            assert all(isinstance(reply, int) or reply.startswith("TRYAGAIN") for reply in replies), replies
            rounds.append(len(numbers))
        pipeline()
        move_slot(cluster, cluster.slot("acme"), source, target, between=pipeline)
        pipeline()
        pipeline()
        assert client.ask("GET", "counter") == str(sum(rounds)).encode()


def transaction(client, *words):
    assert client.ask("MULTI") == b"OK"
    client.ask(*words)
    return client.ask("EXEC")


def test_a_transaction_that_meets_a_moving_slot_is_told_so(cluster):
    source = cluster.home("acme")
    target = next(node for node in cluster.redis.servers[:3] if node is not source)
    with Resp(cluster.port, "acme", cluster.secrets["acme"]) as client:
        # An earlier move may not be known to the door yet.
        wait_for(lambda: transaction(client, "SET", "here", 1) == [b"OK"], "the door to know the node")
        assert client.ask("MULTI") == b"OK"
        assert client.ask("INCR", "here") == b"QUEUED"
        move_slot(cluster, cluster.slot("acme"), source, target)
        reply = client.ask("EXEC")
        assert isinstance(reply, ErrorReply) and "127.0.0.1" not in reply, reply
        wait_for(lambda: transaction(client, "INCR", "here") == [2], "the new node")


def test_a_node_that_is_killed(cluster):
    old = cluster.home("acme")
    writers = start_writers(cluster, ("acme",))
    others = start_writers(cluster, ("globex",)) if cluster.home("globex") is not old else []
    wait_for(progressed(writers + others), "the writers to begin")
    old.kill()
    wait_for(progressed(writers), "writes at the new primary", 60)
    for writer in writers:
        writer.check(may_lose=True)
    for writer in others:
        writer.check(may_lose=False)
        assert not writer.unknown | writer.refused, "the others do not notice"
    old.start()


def test_a_script_cannot_send_the_door_anywhere(cluster):
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(1)
        elsewhere = f"127.0.0.1:{trap.getsockname()[1]}"
        with Resp(cluster.port, "acme", cluster.secrets["acme"]) as client:
            for kind in ("MOVED", "ASK"):
                reply = client.ask("EVAL", f"return redis.error_reply('{kind} 1 {elsewhere}')", 0)
                assert isinstance(reply, ErrorReply) and "TRYAGAIN" in reply, reply
            assert client.ask("SET", "a", 1) == b"OK"
        with pytest.raises(TimeoutError):
            trap.accept()


@pytest.mark.long
def test_one_takeover_after_the_other(cluster):
    """The node of one tenant or of the other, killed or replaced, and slots that move between; the same connections, and
    pools of them, all the time: no write is repeated, no answer is somebody else's."""
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    writers, pools = start_writers(cluster), [Pool(cluster, slug) for slug in ("acme", "globex")]
    for turn in range(12):
        slug, way = dice.choice(("acme", "globex")), dice.choice(("killed", "asked", "moved"))
        what = f"(turn {turn}, {way}, seed {seed})"
        old = cluster.home(slug)
        if way == "killed":
            old.kill()
        elif way == "asked":
            ask_for_takeover(cluster, slug, old)
        else:
            move_slot(cluster, cluster.slot(slug), old, dice.choice([node for node in primaries(cluster) if node is not old]))
        wait_for(lambda: cluster.home(slug) is not old, "another home " + what, 60)
        for goes_on in (progressed(writers), *(pool.progressed() for pool in pools)):
            wait_for(goes_on, "work there " + what, 60)
        if way == "killed":
            old.start()
        wait_for(lambda: len(primaries(cluster)) == 3 and all(any(follows(cluster, node, one) for node in cluster.redis.servers)
                                                              for one in primaries(cluster)), "a replica of each " + what, 60)
    for pool in pools:
        pool.finish()
    for writer in writers:
        writer.check(may_lose=True)


def ask_for_takeover(stack, slug, old):
    """As an operator does: a replica gives up after five seconds where it has not caught up under load, and is asked again."""
    replica = next(node for node in stack.redis.servers if follows(stack, node, old))
    for _ in range(6):
        stack.at(replica).execute_command("CLUSTER", "FAILOVER")
        with contextlib.suppress(AssertionError):
            return wait_for(lambda: stack.home(slug) is not old, "the replica to take over", 8)


def primaries(stack):
    return [node for node in stack.redis.servers if stack.at(node).info("replication")["role"] == "master"]


def follows(stack, node, primary):
    state = stack.at(node).info("replication")
    return state.get("master_port") == primary.port and state["master_link_status"] == "up"
