"""What the control store says reaches every door, and the doors live without it."""
import psycopg
import pytest
import redis

from control_stack import DATABASE, NODE_ROLE, StoreNode

TENANT, NEIGHBOUR = "globex", "acme"
PATIENCE = 20.0


def cache(store, node, tenant):
    user, secret = store.doors.cache_login(tenant)
    return redis.Redis(port=node.ports["cache"], username=user, password=secret, socket_timeout=15)


def sql(store, node, tenant):
    user, password = store.doors.sql_login(tenant)
    return psycopg.connect(host="127.0.0.1", port=node.ports["sql"], dbname=store.doors.database, user=user,
                           password=password, autocommit=True, connect_timeout=15)


def answers_http(store, node, tenant):
    """Anything but the refusal of a tenant: no application runs behind these nodes."""
    return node.get("/", "http", store.doors.token(tenant))[0] != 403


def answers_cache(store, node, tenant):
    try:
        with cache(store, node, tenant) as connection:
            return connection.ping()
    except redis.exceptions.RedisError:
        return False


def answers_sql(store, node, tenant):
    try:
        with sql(store, node, tenant) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def doors(node):
    checks = {"http": answers_http, "cache": answers_cache, "sql": answers_sql}
    return [check for door, check in checks.items() if door in node.ports]


def wait_for(store, nodes, tenant, served):
    for node in nodes:
        for answers in doors(node):
            node.wait_until(lambda answers=answers, node=node: answers(store, node, tenant) == served,
                            f"{answers.__name__} of {tenant}: {served}", PATIENCE)


def test_a_suspended_tenant_is_refused_at_every_door_of_every_node(store, nodes):
    wait_for(store, nodes, TENANT, True)
    open_session = sql(store, nodes[0], TENANT)
    open_cache = cache(store, nodes[1], TENANT)
    assert open_cache.ping() and open_session.execute("SELECT 1").fetchone() == (1,)
    try:
        store.set_status(TENANT, "suspended")
        wait_for(store, nodes, TENANT, False)
        with pytest.raises(psycopg.Error):
            open_session.execute("SELECT 1")
        with pytest.raises(redis.exceptions.RedisError):
            open_cache.get("x")
        wait_for(store, nodes, NEIGHBOUR, True)
    finally:
        store.set_status(TENANT, "active")
    wait_for(store, nodes, TENANT, True)


def test_each_node_says_what_it_serves(store, nodes):
    store.set_status(TENANT, "read_only")
    store.set_status(TENANT, "active")
    version = store.version()
    for node in nodes:
        node.wait_until(lambda node=node: node.readiness()["control_store"]["version"] == version, "the version")
        assert node.readiness()["control_store"]["connected"]
        assert f"partywall_control_store_version {version}" in node.get("/metrics")[1]
    nodes[0].wait_until(lambda: [row[0] for row in store.execute(
        "SELECT directory_version FROM partywall.nodes WHERE name IN ('node-a', 'node-b')")] == [version] * 2,
        "both nodes in the store")
    assert f"node node-a: version {version}" in store.command("status").stdout


def test_doors_serve_and_nodes_start_while_the_store_is_down(store, nodes):
    wait_for(store, nodes, TENANT, True)
    for node in nodes:
        node.wait_until(node.snapshot.exists, "its snapshot")
    store.server.crash()
    try:
        wait_for(store, nodes, TENANT, True)
        nodes[0].wait_until(lambda: not nodes[0].readiness()["control_store"]["connected"], "that it is cut off")
        assert nodes[0].get("/readyz")[0] == 200
        assert "problem" in nodes[0].readiness()["control_store"]
        # A node that crashed starts again from its disk.
        nodes[1].kill()
        nodes[1].start()
        wait_for(store, [nodes[1]], TENANT, True)
    finally:
        store.server.start()
    store.set_status(TENANT, "suspended")
    wait_for(store, nodes, TENANT, False)
    store.set_status(TENANT, "active")
    wait_for(store, nodes, TENANT, True)


@pytest.mark.parametrize("attack", ["cut", "changed", "of another key", "empty"])
def test_a_snapshot_that_was_tampered_with_starts_no_node(store, nodes, attack):
    node = nodes[1]
    node.wait_until(node.snapshot.exists, "its snapshot")
    node.stop()
    good = node.snapshot.read_bytes()
    bad = {"cut": good[:-1], "changed": good[:100] + bytes([good[100] ^ 1]) + good[101:], "empty": b"",
           "of another key": good[:21] + b"s1" + bytes(len(good) - 23)}[attack]
    node.snapshot.write_bytes(bad)
    # Its store is nowhere: only the snapshot is left.
    alone = node.file.with_name("alone.yaml")
    alone.write_text(node.file.read_text().replace(f"port: {store.server.port}", "port: 1"))
    node.file, original = alone, node.file
    try:
        refused = node.run_to_its_end()
        assert refused.returncode == 1, refused.stderr
        assert "the snapshot on disk is not used" in refused.stderr
    finally:
        node.file = original
    # With the store at hand it starts, and puts a good one in its place.
    node.start()
    wait_for(store, [node], TENANT, True)
    node.wait_until(lambda: node.snapshot.read_bytes() != bad, "a new snapshot")


def test_the_stores_database_is_closed_to_everybody_else(store):
    """Neither the roles that tenants' sessions run as, nor anybody else of the same server, may connect."""
    store.server.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            store.server.connect(DATABASE, "stranger", "x")
    finally:
        store.server.execute("DROP ROLE stranger")


def test_a_tenants_login_leads_to_its_own_database_only(store, nodes):
    user, password = store.doors.sql_login(TENANT)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=nodes[0].ports["sql"], dbname=DATABASE, user=user, password=password,
                        connect_timeout=15)
    with sql(store, nodes[0], TENANT) as connection:
        found = connection.execute("SELECT to_regclass('partywall.tenants'), to_regclass('partywall.head')").fetchone()
    assert found == (None, None)


def test_a_node_cannot_write_to_the_directory(store):
    with store.server.connect(DATABASE, NODE_ROLE, store.passwords[NODE_ROLE]) as connection:
        for statement in ("UPDATE partywall.tenants SET tier = 'enterprise'", "DELETE FROM partywall.changes",
                          "SELECT * FROM partywall.admin_tokens", "CREATE TABLE partywall.x (a int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_what_the_store_has_must_not_be_in_the_file_too(store):
    path = store.write_platform("both.yaml", NODE_ROLE, {"tenants": []})
    refused = store.command("status", file=path, check=False)
    assert refused.returncode == 1
    assert "'tenants' is kept in the control store" in refused.stderr


def test_a_platform_file_is_imported_into_an_empty_store_only(store):
    refused = store.command("import", store.doors.platform_file, check=False)
    assert refused.returncode == 5
    assert "has tiers already" in refused.stderr
