"""The tenant of a transaction: forged and stolen contexts, tenants named by others, and the register underneath."""
import time
import uuid

import pytest

from oracle import SECRET
from support.raw_postgres import LoginRefused
from support.register import token

READ = "SELECT title FROM notes ORDER BY title"
OWN = {"acme": ["acme-1", "acme-2", "acme-3"], "globex": [f"{SECRET}-{n}" for n in (1, 2, 3)]}


@pytest.fixture(scope="module")
def contexts(lab):
    expired = lab.context("globex", "sql", ttl="1s")
    made = {tenant: lab.context(tenant, "sql") for tenant in OWN}
    time.sleep(2.1)
    return made | {"expired": expired, "for the cache": lab.context("globex", "cache")}


def titles(answer):
    return [row[0] for row in answer.rows]


def forged(contexts, lab):
    head, payload, mac = contexts["acme"].split(".")
    _, theirs, their_mac = contexts["globex"].split(".")
    return {"expired": contexts["expired"], "for the cache": contexts["for the cache"], "globex's payload": f"{head}.{theirs}.{mac}",
            "globex's signature": f"{head}.{payload}.{their_mac}", "no signature": f"{head}.{theirs}.", "longer": contexts["globex"] + "A",
            "shorter": contexts["globex"][:-1], "another version": contexts["globex"].replace("pw1", "pw2"), "a UUID": lab.tenant_id("globex"),
            "a slug": "globex", "a web token": lab.token("globex"), "upper case": contexts["globex"].upper(), "much": "x" * 5000, "blank": " "}


WAYS = ["SET LOCAL app.current_tenant = '{}'", "SET app.current_tenant = '{}'", "SELECT set_config('app.current_tenant', '{}', true)",
        "SELECT set_config('app.current_tenant', '{}', false)"]


@pytest.mark.parametrize("way", WAYS)
def test_a_good_context_is_that_tenants(sql_walls, contexts, way):
    """The control of what follows."""
    for tenant, own in OWN.items():
        with sql_walls.node.raw_sql("application") as connection:
            connection.query("BEGIN")
            assert connection.query(way.format(contexts[tenant])).errors == []
            assert titles(connection.query(READ)) == own


@pytest.mark.parametrize("way", WAYS)
def test_forged_contexts_are_refused(sql_walls, contexts, way):
    for what, context in forged(contexts, sql_walls.node).items():
        with sql_walls.node.raw_sql("application") as connection:
            connection.query("BEGIN")
            assert connection.query(way.format(context)).errors != [], what
            answer = connection.query(READ)
            assert answer.errors == ["25P02"] and answer.rows == [], what
            connection.query("ROLLBACK")
            answer = connection.query(READ)
            assert answer.errors == ["28000"], what


@pytest.mark.parametrize("way", WAYS)
def test_no_second_tenant_in_a_transaction(sql_walls, contexts, way):
    with sql_walls.node.raw_sql("application") as connection:
        connection.query("BEGIN")
        connection.query(f"SET LOCAL app.current_tenant = '{contexts['acme']}'")
        assert titles(connection.query(READ)) == OWN["acme"]
        assert connection.query(way.format(contexts["globex"])).errors != []
        assert connection.query(READ).errors == ["25P02"]
        connection.query("ROLLBACK")
        assert connection.query(READ).errors == ["28000"], "nothing is left of either"


def test_a_context_ends_with_its_transaction(sql_walls, contexts):
    for ending in ("COMMIT", "ROLLBACK", "END", "ABORT"):
        with sql_walls.node.raw_sql("application") as connection:
            connection.query("BEGIN")
            connection.query(f"SET LOCAL app.current_tenant = '{contexts['globex']}'")
            assert titles(connection.query(READ)) == OWN["globex"]
            connection.query(ending)
            assert connection.query(READ).errors == ["28000"]
            connection.query("BEGIN")
            assert connection.query(READ).errors == ["28000"]


def test_savepoints_bring_no_tenant_back(sql_walls, contexts):
    with sql_walls.node.raw_sql("application") as connection:
        connection.query(f"SET app.current_tenant = '{contexts['acme']}'")
        for statement in ("BEGIN", "SAVEPOINT a", f"SET LOCAL app.current_tenant = '{contexts['globex']}'", "ROLLBACK TO a", READ, "COMMIT"):
            connection.query(statement)
        assert titles(connection.query(READ)) == OWN["acme"]


@pytest.mark.parametrize("way", WAYS)
def test_a_bound_login_takes_no_other_tenants_context(sql_walls, contexts, way):
    """A stolen context is worth nothing on a login of another tenant."""
    with sql_walls.node.raw_sql("acme") as connection:
        for begin in (["BEGIN"], []):
            for statement in begin:
                connection.query(statement)
            assert connection.query(way.format(contexts["globex"])).errors != []
            assert SECRET not in repr(connection.query(READ).messages)
            connection.query("ROLLBACK")
        assert titles(connection.query(READ)) == OWN["acme"]


def test_a_trusted_login_is_trusted_from_its_addresses_only(lab):
    lab.run["trusted"] = lab.run["application"] | {"user": "trusted"}
    with pytest.raises((LoginRefused, EOFError, ConnectionError)):
        lab.raw_sql("trusted")
    with lab.raw_sql("application"):
        pass  # the control: the same password


def test_without_a_tenant_there_are_no_rows(sql_walls):
    with sql_walls.node.raw_sql("application") as connection:
        for statement in (READ, "SELECT count(*) FROM notes", "INSERT INTO notes (title) VALUES ('x')", "UPDATE notes SET amount = 0",
                          "DELETE FROM notes", "COPY notes TO STDOUT", "SELECT partywall.tenant_id()", "SELECT all_titles()"):
            answer = connection.query(statement)
            assert answer.errors in (["28000"], ["55000"]) and answer.rows == []


def test_the_register_cannot_be_written(sql_walls):
    identity = uuid.UUID(sql_walls.names["globex"])
    high, low = (int.from_bytes(identity.bytes[i:i + 8], "big", signed=True) for i in (0, 8))
    sql_walls.attack([
        f"SELECT setval('partywall.current_tenant', {high}), setval('partywall.current_tenant_low', {low})", READ,
        "SELECT nextval('partywall.current_tenant')", "SELECT nextval('partywall.current_tenant_low')", READ,
        f"ALTER SEQUENCE partywall.current_tenant RESTART WITH {high}", "DROP SEQUENCE partywall.current_tenant CASCADE",
        "UPDATE partywall.register_key SET key_id = 2", "TRUNCATE partywall.register_key", "DELETE FROM partywall.register_key",
        "CREATE OR REPLACE FUNCTION partywall.tenant_id() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
        "ALTER FUNCTION partywall.enter(bytea) SECURITY INVOKER", "GRANT ALL ON SCHEMA partywall TO PUBLIC", READ,
        "SELECT currval('partywall.current_tenant'), lastval()", "DISCARD SEQUENCES", READ, READ])


def test_tokens_of_the_register_cannot_be_used_by_hand(sql_walls):
    """Forged ones; and real ones that are too old, for another server process, or for a register that is not empty."""
    node = sql_walls.node
    cell = node.platform["cells"][node.cell_name]["sql"]
    key = bytes.fromhex((node.platform_file.parent / cell["register_key_file"]).read_text().strip())
    theirs = uuid.UUID(sql_walls.names["globex"])

    def enter(value, prepare=""):
        def step(connection):
            pid = int(connection.query("SELECT pg_backend_pid()").rows[0][0])
            answer = connection.query(f"{prepare}SELECT partywall.enter('\\x{value(pid).hex()}')")
            assert answer.errors != []
            return repr(connection.query(READ).messages).encode()
        return step

    attempts = [lambda pid: bytes(64), lambda pid: b"", lambda pid: token(b"wrong" * 13, theirs, pid), lambda pid: token(key, theirs, pid),
                lambda pid: token(key, theirs, pid, expires_in=-1), lambda pid: token(key, theirs, pid + 1), lambda pid: token(key, theirs, pid, key_id=2)]
    sql_walls.attack([enter(value) for value in attempts])
    empty_first = [value for number, value in enumerate(attempts) if number != 3]  # 3 is good where the register is empty
    sql_walls.attack([enter(value, "DISCARD SEQUENCES; ") for value in empty_first])


# What is the application's own, as its driver counts on it.
SETTINGS = ("DateStyle", "TimeZone", "client_encoding", "standard_conforming_strings", "default_transaction_read_only",
            "application_name", "IntervalStyle", "search_path", "statement_timeout")
LEFT_BEHIND = {
    "functions": "SELECT 1 AS one, set_config('DateStyle', 'SQL, DMY', false), set_config('TimeZone', 'Asia/Tokyo', false)",
    "a function in a condition": "SELECT title FROM notes WHERE title = 'x' OR set_config('default_transaction_read_only', 'on', false) IS NULL",
    "another encoding": "SELECT title || set_config('client_encoding', 'SQL_ASCII', false) FROM notes LIMIT 1",
    "DO": "DO $$BEGIN PERFORM set_config('standard_conforming_strings', 'off', false); SET IntervalStyle = 'iso_8601'; END$$",
    "RESET in DO": "DO $$BEGIN RESET ALL; END$$",
    "RESET": "RESET TimeZone",
    "RESET ALL": "RESET ALL",
}


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("attack", LEFT_BEHIND)
def test_settings_that_a_tenant_changes_are_not_the_next_ones(sql_walls, contexts, attack, ending):
    """An injection that sets what PostgreSQL tells the client: it ends with that tenant's transaction, and the client is told so."""
    ask = "SELECT " + ", ".join(f"current_setting('{name}')" for name in SETTINGS)
    with sql_walls.node.sql("application", options="-c TimeZone=Europe/Rome -c IntervalStyle=postgres_verbose") as connection:
        def in_transaction(tenant, *statements, ending="COMMIT"):
            connection.execute("BEGIN")
            connection.execute(f"SET LOCAL app.current_tenant = '{contexts[tenant]}'")
            rows = [connection.execute(statement) for statement in statements][-1]
            rows = rows.fetchall() if rows.description else None
            connection.execute(ending)
            return rows
        def told():
            return {name: connection.info.parameter_status(name) for name in SETTINGS}
        before, told_before = in_transaction("globex", ask), told()
        assert before[0][1] == told_before["TimeZone"] == "Europe/Rome"
        in_transaction("acme", LEFT_BEHIND[attack], ending=ending)  # not refused: it is what is done unseen
        assert told() == told_before
        assert in_transaction("globex", ask) == before
        assert in_transaction("globex", "UPDATE notes SET amount = amount", "SELECT count(*) FROM notes") == [(3,)]


def test_settings_for_the_session_are_refused_where_the_tenant_is_the_transactions(lab, contexts):
    """The application cannot mean it: who it is for ends with the transaction. SET LOCAL is what it means."""
    with lab.raw_sql("application") as connection:
        for statement in ("SET DateStyle = 'German'", "SET TIME ZONE 'Asia/Tokyo'", "SET client_encoding = 'LATIN1'", "SET search_path = notes",
                          "SELECT set_config('DateStyle', 'German', false)"):
            connection.query("BEGIN")
            connection.query(f"SET LOCAL app.current_tenant = '{contexts['acme']}'")
            assert connection.query(statement).errors == ["0A000"], statement
            connection.query("ROLLBACK")
        connection.query("BEGIN")
        connection.query(f"SET LOCAL app.current_tenant = '{contexts['acme']}'")
        assert connection.query("SET LOCAL TimeZone = 'Asia/Tokyo'").errors == []
        assert connection.query("SHOW TimeZone").rows == [["Asia/Tokyo"]]
        connection.query("COMMIT")
        connection.query(f"SET app.current_tenant = '{contexts['acme']}'")
        assert connection.query("SET TimeZone = 'Asia/Tokyo'").errors == [], "the session is the tenant's"
