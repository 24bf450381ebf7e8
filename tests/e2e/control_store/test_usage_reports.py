"""What tenants used reaches the control store once, whatever happens to nodes and store in between."""
import pytest

from control_stack import StoreNode

INTERVAL = "1s"
PATIENCE = 30.0


@pytest.fixture
def node(store):
    """A node that reports every second."""
    store.execute("DELETE FROM partywall.usage_hours; DELETE FROM partywall.usage_runs; DELETE FROM partywall.usage_gaps")
    node = StoreNode(store, "counting", doors=("http",),
                     usage={"interval": INTERVAL, "spool": str(store.folder / "usage-spool")})
    node.start()
    yield node
    node.stop()


def ask(store, node, tenant, times):
    """Requests that are counted, whatever is answered: no application runs behind these nodes."""
    for _ in range(times):
        node.get("/api/products", "http", store.doors.token(tenant))


def counted(store, slug):
    return store.execute("SELECT coalesce(sum(h.http_requests), 0)::bigint FROM partywall.tenants t "
                         "LEFT JOIN partywall.usage_hours h ON h.tenant = t.id WHERE t.slug = %s", (slug,))[0][0]


def gaps(store):
    return store.execute("SELECT count(*) FROM partywall.usage_gaps WHERE node = 'counting'")[0][0]


def waiting(store):
    return len(list((store.folder / "usage-spool").glob("*.json")))


def wait_for(store, node, tenant, requests):
    node.wait_until(lambda: counted(store, tenant) >= requests, f"{requests} requests of {tenant}", PATIENCE)
    assert counted(store, tenant) == requests


def test_each_tenant_has_its_own_requests_and_a_node_that_ends_in_order_loses_none(store, node):
    ask(store, node, "globex", 5)
    ask(store, node, "acme", 2)
    wait_for(store, node, "globex", 5)
    ask(store, node, "globex", 3)
    node.stop()
    assert (counted(store, "globex"), counted(store, "acme")) == (8, 2)
    node.start()
    ask(store, node, "globex", 1)
    wait_for(store, node, "globex", 9)
    assert gaps(store) == 0


def test_what_a_killed_node_had_written_is_sent_by_the_next_and_the_rest_is_a_gap(store, node):
    ask(store, node, "globex", 4)
    wait_for(store, node, "globex", 4)
    store.execute("ALTER TABLE partywall.usage_hours ADD CONSTRAINT closed CHECK (false) NOT VALID")
    try:
        ask(store, node, "globex", 2)
        node.wait_until(lambda: waiting(store) >= 1, "an interval in the spool", PATIENCE)
        first = waiting(store)
        node.wait_until(lambda: waiting(store) > first, "the interval after it", PATIENCE)
        node.kill()
    finally:
        store.execute("ALTER TABLE partywall.usage_hours DROP CONSTRAINT closed")
    assert counted(store, "globex") == 4
    node.start()
    wait_for(store, node, "globex", 6)
    node.wait_until(lambda: gaps(store) == 1, "the gap", PATIENCE)
    assert waiting(store) <= 1


def test_a_node_can_hand_in_and_neither_read_nor_change(store, node):
    assert store.as_node("SELECT partywall.record_usage('other', gen_random_uuid(), 1, now(), now(), true, '[]')")
    for attempt in ("SELECT * FROM partywall.usage_hours", "UPDATE partywall.usage_hours SET http_requests = 0",
                    "DELETE FROM partywall.usage_runs", "SELECT * FROM partywall.usage_gaps"):
        with pytest.raises(store.Denied):
            store.as_node(attempt)
