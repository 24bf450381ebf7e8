"""The limits of a tenant count once for all nodes, however its clients spread over them."""
import subprocess
import threading
import time

import pytest
import redis
import yaml

from cluster import BURST, CACHE_BURST, CACHE_RATE, CONNECTIONS, RATE, REQUESTS, at_once
from sql.sql_stack import TENANTS
from support.waiting import wait_until


def requests_admitted(cluster, tenant, each):
    """How many of `each` requests to every node were admitted, and how many may have been at most."""
    def ask(node):
        return lambda: [node.get("/api/now", tenant)[0] for _ in range(each)]

    began = time.monotonic()
    answers = sum(at_once(*map(ask, cluster.nodes)), [])
    most = RATE / 60 * (time.monotonic() - began) + BURST
    assert set(answers) <= {200, 429}
    return answers.count(200), most


def commands_admitted(cluster, tenant, each):
    def ask(node):
        def run():
            client, admitted = node.redis(tenant), 0
            client.ping()
            for _ in range(each):
                try:
                    client.incr("counted")
                    admitted += 1
                except redis.ResponseError as error:
                    assert str(error).startswith("LIMIT")
            return admitted
        return run

    began = time.monotonic()
    admitted = sum(at_once(*map(ask, cluster.nodes)))
    return admitted, CACHE_RATE * (time.monotonic() - began) + CACHE_BURST


def test_requests_at_all_nodes_together(cluster):
    admitted, most = requests_admitted(cluster, "acme", 60)
    assert BURST <= admitted <= most
    # The other tenant, meanwhile and afterwards, has all of its own.
    assert requests_admitted(cluster, "globex", 2)[0] == 2 * len(cluster.nodes)


def test_a_refusal_says_when_there_is_more(cluster):
    node = cluster.nodes[0]
    answers = [node.get("/api/now", "acme") for _ in range(2 * BURST + 5)]
    refused = [headers for status, headers in answers if status == 429]
    admitted = [headers for status, headers in answers if status == 200]
    assert refused and int(refused[-1]["Retry-After"]) >= 1
    for headers in refused:
        assert headers["RateLimit-Policy"] == f'"api";q={RATE};w=60'
        assert headers["RateLimit"].startswith('"api";r=0;')
    left = [int(headers["RateLimit"].split("r=")[1].split(";")[0]) for headers in admitted]
    assert all(0 <= one < BURST for one in left)


def test_commands_at_all_nodes_together(cluster):
    admitted, most = commands_admitted(cluster, "acme", 150)
    assert CACHE_BURST / 2 <= admitted <= most


@pytest.fixture
def holding(cluster):
    """Begins requests that last; each entry of the list is what became of one."""
    outcomes, threads = [], []
    cluster.application.release.clear()

    def begin(node, tenant):
        outcome = {}
        outcomes.append(outcome)

        def run():
            try:
                outcome["status"] = node.get("/api/hold", tenant)[0]
            except OSError:
                outcome["status"] = "lost"

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return outcome

    yield begin
    cluster.application.release.set()
    for thread in threads:
        thread.join()


def test_requests_under_way_on_all_nodes_together(cluster, holding):
    outcomes = [holding(node, "initech") for _ in range(REQUESTS) for node in cluster.nodes]
    refused = len(outcomes) - REQUESTS
    wait_until(lambda: sum(one.get("status") == 429 for one in outcomes) >= refused, outcomes)
    wait_until(lambda: cluster.application.held == REQUESTS, outcomes)
    assert cluster.nodes[0].get("/api/now", "globex")[0] == 200


def test_what_a_killed_node_had_is_free_again(cluster, holding):
    victim, other = cluster.nodes[2], cluster.nodes[0]
    outcomes = []

    def has_all():  # what another node had until now is free in a moment
        if sum(not one for one in outcomes) < REQUESTS:
            outcomes.append(holding(victim, "globex"))
        return cluster.application.held == REQUESTS

    wait_until(has_all, outcomes)
    assert other.get("/api/now", "globex")[0] == 429
    victim.kill()
    wait_until(lambda: other.get("/api/now", "globex")[0] == 200, "the slots are not free")
    cluster.application.release.set()
    victim.start()
    victim.wait_for_application()
    cluster.wait_for("store")


def connect(node, cluster, tenant):
    cluster.sql.port = node.sql_port
    return cluster.sql.connect(tenant)


def test_busy_database_connections_on_all_nodes_together(cluster):
    clients = [connect(cluster.nodes[i % 3], cluster, "acme") for i in range(CONNECTIONS + 1)]
    for client in clients[:CONNECTIONS]:
        client.execute("BEGIN")
        client.execute("SELECT 1")
    done = threading.Event()

    def wait_in_line():
        clients[CONNECTIONS].execute("SELECT 1")
        done.set()

    waiting = threading.Thread(target=wait_in_line)
    waiting.start()
    # Another tenant is served at the same node, where that one waits.
    with connect(cluster.nodes[CONNECTIONS % 3], cluster, "globex") as other:
        other.execute("SELECT 1")
    assert not done.is_set()
    clients[1].execute("COMMIT")  # on another node
    waiting.join(60)
    assert done.is_set()
    for client in clients:
        client.close()


def test_a_store_that_is_away_neither_opens_nor_blocks(cluster):
    requests_admitted(cluster, "acme", 20)  # no lease is left
    cluster.store.stop()
    cluster.wait_for("share")
    for node in cluster.nodes:
        assert node.metrics()["partywall_limits_fallback"] == 1
    began = time.monotonic()
    admitted = refused = 0
    while not admitted or not refused:
        answered = [node.get("/api/now", "acme")[0] for node in cluster.nodes for _ in range(5)]
        admitted += answered.count(200)
        refused += answered.count(429)
        assert time.monotonic() < began + 60, (admitted, refused)
    assert admitted <= RATE / 60 * (time.monotonic() - began) + BURST + len(cluster.nodes)
    assert cluster.nodes[0].redis("globex").ping()
    with connect(cluster.nodes[1], cluster, "globex") as client:
        client.execute("SELECT 1")
    cluster.start_store()
    cluster.wait_for("store")
    admitted, most = requests_admitted(cluster, "acme", 30)
    assert 0 < admitted <= most


def test_a_store_that_forgets_its_scripts_gets_them_again(cluster):
    cluster.store.client().script_flush()
    wait_until(lambda: cluster.nodes[0].get("/api/now", "initech")[0] == 200, "the scripts are not there")
    assert cluster.nodes[0].limits()["source"] == "store"


# --- What a tenant may try.

def test_a_tenant_cannot_reach_the_store_through_the_cache_door(cluster):
    """It would find its own limits, and its neighbours', under names that it can guess."""
    requests_admitted(cluster, "globex", 2)
    store = cluster.store.client()
    acme, globex = (f"partywall:limits:http_rate:{TENANTS[slug]}" for slug in ("acme", "globex"))
    client = cluster.nodes[0].redis("initech")
    for key in (acme, globex):
        client.set(key, "mine")
        client.delete(key)
    assert store.get(globex) not in (None, b"mine")
    assert all(key.decode().split(":")[3] in map(str, TENANTS.values()) for key in store.keys("partywall:limits:*"))


def test_nobody_but_the_nodes_may_log_in_at_the_store(cluster):
    client = cluster.store.client(username="nodes", password="guessed")
    with pytest.raises(redis.ResponseError):
        client.ping()
    nodes = cluster.store.client(username="nodes", password=cluster.secrets["store"])
    for command in (("KEYS", "*"), ("FLUSHALL",), ("DEL", "partywall:limits:x"), ("SET", "other", "x"), ("CONFIG", "GET", "*")):
        with pytest.raises(redis.ResponseError):
            nodes.execute_command(*command)


def test_a_redis_that_tenants_reach_is_refused_as_the_store(cluster, tmp_path):
    platform = yaml.safe_load((cluster.folder / "node-0.yaml").read_text())
    platform["cluster"]["limits"]["port"] = cluster.cells_redis.port
    file = cluster.folder / "wrong.yaml"
    file.write_text(yaml.safe_dump(platform))
    done = subprocess.run([cluster.binary, "check", file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "is the Redis of cell 'main', which tenants reach" in done.stdout + done.stderr


def test_one_tenant_cannot_use_up_the_tokens_of_another(cluster):
    """acme hammers all nodes; what globex is admitted does not change."""
    stop = threading.Event()

    def hammer(node):
        return lambda: [node.get("/api/now", "acme") for _ in iter(stop.is_set, True)]

    hammering = [threading.Thread(target=hammer(node)) for node in cluster.nodes]
    for thread in hammering:
        thread.start()
    try:
        wait_until(lambda: cluster.nodes[0].get("/api/now", "globex")[0] == 200, "globex was busy before")
        time.sleep(BURST * 60 / RATE / 2)  # half of its burst comes back
        admitted = [cluster.nodes[i % 3].get("/api/now", "globex")[0] for i in range(6)]
    finally:
        stop.set()
        for thread in hammering:
            thread.join()
    assert admitted == [200] * 6
