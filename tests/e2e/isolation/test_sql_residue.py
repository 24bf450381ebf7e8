"""What acme leaves on a server connection is not there when globex gets the same one.

`narrow` has one server connection, so that the next tenant is given exactly what the last one left."""
import contextlib
import time

import psycopg
import pytest

from oracle import SECRET, SqlWalls
from support.raw_postgres import SYNC, bind, describe, execute, parse

COUNT_TEMPORARY = "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"

# name: (what acme runs, a question of the next client). The answer must be as if nothing had been run.
RESIDUE = {
    "search_path": (["SET search_path = pg_catalog"], "SHOW search_path"),
    "search_path and a shadow": (["CREATE TEMPORARY TABLE notes AS SELECT 'planted'::text AS title", "SET search_path = pg_temp, public"],
                                 "SELECT title FROM notes ORDER BY title"),
    "work_mem": (["SET work_mem = '64kB'"], "SHOW work_mem"),
    "statement_timeout": (["SET statement_timeout = 1234567"], "SHOW statement_timeout"),
    "time zone": (["SET TIME ZONE 'Asia/Tokyo'"], "SHOW timezone"),
    "DateStyle": (["SET DateStyle = 'German'"], "SELECT date '2026-01-31'"),
    "client_encoding": (["SET client_encoding = 'LATIN1'"], "SHOW client_encoding"),
    "standard_conforming_strings": (["SET standard_conforming_strings = off"], "SELECT length('a\\nb')"),
    "bytea_output": (["SET bytea_output = 'escape'"], "SELECT '\\xff'::bytea"),
    "role": (["SET ROLE pg_monitor", "SET ROLE NONE"], "SELECT current_user = session_user"),
    "row_security": (["SET row_security = off"], "SELECT count(*) FROM notes"),
    "isolation": (["SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY"], "SHOW default_transaction_isolation"),
    "read only": (["SET default_transaction_read_only = on"], "SHOW default_transaction_read_only"),
    "a setting of its own": (["SET my.secret = 'acme token'"], "SELECT coalesce(current_setting('my.secret', true), '')"),
    "a setting of its own, in DO": (["DO $$BEGIN PERFORM set_config('my.secret', 'acme token', false); END$$"],
                                    "SELECT coalesce(current_setting('my.secret', true), '')"),
    "search_path in DO": (["DO $$BEGIN SET search_path = pg_catalog; END$$"], "SHOW search_path"),
    "planner": (["SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan"], "SHOW enable_seqscan"),
    "PREPARE": (["PREPARE secret_plan AS SELECT 'acme secret'"], "SELECT name, statement FROM pg_prepared_statements"),
    "PREPARE in DO": (["DO $$BEGIN EXECUTE 'PREPARE secret_plan AS SELECT 1'; END$$"], "SELECT name, statement FROM pg_prepared_statements"),
    "cursor WITH HOLD": (["BEGIN", "DECLARE kept CURSOR WITH HOLD FOR SELECT title FROM notes", "COMMIT"], "SELECT name, statement FROM pg_cursors"),
    "cursor": (["BEGIN", "DECLARE kept CURSOR FOR SELECT title FROM notes"], "SELECT name, statement FROM pg_cursors"),
    "temporary table": (["CREATE TEMPORARY TABLE mine (secret text)", "INSERT INTO mine VALUES ('acme secret')"], COUNT_TEMPORARY),
    "temporary shadow": (["CREATE TEMPORARY TABLE notes AS SELECT 'planted'::text AS title"], "SELECT title FROM notes ORDER BY title"),
    "temporary shadow of a catalog": (["CREATE TEMPORARY TABLE pg_class AS SELECT 'planted'::text AS relname"],
                                      "SELECT count(*) FROM pg_class WHERE relname = 'notes'"),
    "temporary shadow in DO": (["DO $$BEGIN EXECUTE 'CREATE TEMP TABLE notes AS SELECT ''planted''::text AS title'; END$$"],
                               "SELECT title FROM notes ORDER BY title"),
    "temporary view": (["CREATE TEMPORARY VIEW notes AS SELECT 'planted'::text AS title"], "SELECT title FROM notes ORDER BY title"),
    "temporary sequence": (["CREATE TEMPORARY SEQUENCE counting", "SELECT nextval('counting')"], COUNT_TEMPORARY),
    "temporary function": (["CREATE FUNCTION pg_temp.planted() RETURNS text LANGUAGE sql AS 'SELECT ''planted'''"],
                           "SELECT count(*) FROM pg_proc WHERE proname = 'planted'"),
    "temporary operator": (["CREATE FUNCTION pg_temp.yes(uuid, uuid) RETURNS bool LANGUAGE sql AS 'SELECT true'",
                            "CREATE OPERATOR pg_temp.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = pg_temp.yes)",
                            "SET search_path = pg_temp, pg_catalog, public"], "SELECT title FROM notes ORDER BY title"),
    "LISTEN": (["LISTEN news"], "SELECT * FROM pg_listening_channels()"),
    "LISTEN in DO": (["DO $$BEGIN EXECUTE 'LISTEN news'; END$$"], "SELECT * FROM pg_listening_channels()"),
    "advisory lock": (["SELECT pg_advisory_lock(4711)"], "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"),
    "advisory lock, shared": (["SELECT pg_try_advisory_lock_shared(1, 2)"], "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"),
    "sequence values": (["INSERT INTO notes (title) VALUES ('another')"], "SELECT lastval()"),
    "currval of a table": (["INSERT INTO notes (title) VALUES ('another')"], "SELECT currval('notes_id_seq')"),
    "an open transaction": (["BEGIN", "UPDATE notes SET amount = 99"], "SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock'"),
    "a failed transaction": (["BEGIN", "SELECT 1/0"], "SELECT 'works'"),
    "a savepoint": (["BEGIN", "SAVEPOINT s"], "ROLLBACK TO s"),
    "statistics of the transaction": (["BEGIN", "SELECT txid_current()"], "SELECT txid_current_if_assigned()"),
    "a large object descriptor": (["BEGIN", "SELECT lo_open(lo_create(0), 131072)"], "SELECT loread(0, 10)"),
    "jit and GEQO seeds": (["SET geqo_seed = 0.5"], "SHOW geqo_seed"),
    "a log setting": (["SET client_min_messages = debug5"], "SHOW client_min_messages"),
    "an application name": (["SET application_name = 'acme secret'"], "SHOW application_name"),
}


@pytest.fixture
def walls(narrow):
    sql_walls = SqlWalls(narrow)
    sql_walls.set_up()
    return sql_walls


def ask(connection, sql):
    """(pid, rows or SQLSTATEs) from a question."""
    answer = connection.query(sql)
    return answer.errors or answer.rows


def pid_of(connection):
    return int(connection.query("SELECT pg_backend_pid()").rows[0][0])


def run(connection, script):
    for statement in script:
        connection.query(statement)


@pytest.mark.parametrize("name", RESIDUE)
def test_nothing_is_left_to_the_neighbour(walls, name):
    script, question = RESIDUE[name]
    with walls.node.raw_sql("globex") as connection:
        clean = ask(connection, question)
    with walls.node.raw_sql("acme") as connection:
        first = pid_of(connection)
        run(connection, script)
    walls.set_up()
    with walls.node.raw_sql("globex") as connection:
        assert ask(connection, question) == clean
        assert pid_of(connection) == first, "the control: it was the same server connection"


# What a statement hides from the door stays with the tenant until the connection is reset.
HIDDEN = {"row_security", "advisory lock", "advisory lock, shared", "sequence values", "currval of a table", "temporary function",
          "temporary operator"}


@pytest.mark.parametrize("name", [name for name in RESIDUE if name not in HIDDEN and "in DO" not in name])
def test_nothing_is_left_to_the_tenants_next_client(walls, name):
    script, question = RESIDUE[name]
    with walls.node.raw_sql("globex") as connection:
        connection.query("SELECT 1")  # acme begins with a connection that was reset
    with walls.node.raw_sql("acme") as connection:
        clean = ask(connection, question)
        run(connection, script)
    walls.set_up()
    with walls.node.raw_sql("acme") as connection:
        assert ask(connection, question) == clean


# Nothing to be seen even without a reset.
HARMLESS = {"role", "temporary operator", "currval of a table", "statistics of the transaction"}


@pytest.mark.parametrize("name", [name for name in RESIDUE if name not in HARMLESS])
def test_a_pool_that_resets_nothing_leaves_it(stack, naive, name):
    """The control: without a reset each of them is seen by whoever comes next."""
    script, question = RESIDUE[name]
    naive.harm_of("naive", ["SELECT 1"])  # the rows as they were
    with naive.connect("naive") as connection, naive.connect("naive") as other:
        clean = ask(other, question)
        run(connection, script)
        assert ask(connection, question) != clean


def test_the_same_client_keeps_its_state(walls):
    """What must not reach the next client is still there for the one that made it."""
    with walls.node.raw_sql("acme") as connection:
        run(connection, ["SET work_mem = '64kB'", "CREATE TEMPORARY TABLE mine (x int)", "PREPARE p AS SELECT 7", "LISTEN news",
                         "SELECT pg_advisory_lock(4711)"])
        assert connection.query("SHOW work_mem").rows == [["64kB"]]
        assert connection.query("SELECT count(*) FROM mine").rows == [["0"]]
        assert connection.query("EXECUTE p").rows == [["7"]]
        assert connection.query("SELECT * FROM pg_listening_channels()").rows == [["news"]]
        assert connection.query("SELECT pg_advisory_unlock(4711)").rows == [["t"]]


def test_random_numbers_of_the_next_tenant_cannot_be_foretold(walls, naive):
    """setseed survives DISCARD ALL; entering a tenant seeds anew."""
    def draw(connection):
        return connection.query("SELECT random(), random()").rows

    with naive.connect("naive") as connection:
        connection.query("SELECT setseed(0.5)")
        foretold = draw(connection)
        connection.query("SELECT setseed(0.5)")
        connection.query("DISCARD ALL")
        assert draw(connection) == foretold, "the control: DISCARD ALL leaves the seed"
    with walls.node.raw_sql("acme") as connection:
        first = pid_of(connection)
        connection.query("SELECT setseed(0.5)")
    with walls.node.raw_sql("globex") as connection:
        assert draw(connection) != foretold
        assert pid_of(connection) == first


def test_named_statements_of_clients_never_meet(walls):
    """Protocol-level: the same name, other SQL, one server connection."""
    with walls.node.raw_sql("acme") as one, walls.node.raw_sql("globex") as other:
        for connection in (one, other):
            who = "acme" if connection is one else "globex"
            answer = connection.ask(parse(f"SELECT '{who}' || $1", name="s", types=[25]), SYNC)
            assert answer.errors == []
        for connection, who in ((one, "acme"), (other, "globex"), (one, "acme")):
            assert connection.ask(bind("!", statement="s"), execute(), SYNC).rows == [[f"{who}!"]]


def prepared_names(connection):
    """Those that can be seen: none, where a superuser has prepared the database."""
    return {row[0] for row in connection.query("SELECT name FROM pg_prepared_statements").rows}


def test_statement_poisoning(walls):
    """acme deallocates what the door prepared and prepares its own SQL under all names that it can guess or see.

    PgBouncer 1.25 runs the planted statement; the same tenant's other clients must not either."""
    question = [parse("SELECT title FROM notes ORDER BY title", name="q"), SYNC]
    with walls.node.raw_sql("acme") as victim, walls.node.raw_sql("globex") as neighbour:
        for connection in (victim, neighbour):
            assert connection.ask(*question).errors == []
            assert connection.ask(bind(statement="q"), execute(), SYNC).errors == []
        with walls.node.raw_sql("acme") as attacker:
            attacker.ask(*question)
            attacker.ask(bind(statement="q"), execute(), SYNC)
            names = prepared_names(attacker) | {"q", "s1", "P_0", "PGBOUNCER_1", "PGBOUNCER_2", "pw_1", "pw_0"}
            for name in names:
                attacker.query(f'DEALLOCATE "{name}"')
            attacker.query("DEALLOCATE ALL")
            for name in names:
                attacker.query(f"PREPARE \"{name}\" AS SELECT 'planted'::text AS title")
        for connection, expected in ((victim, "acme-1"), (neighbour, f"{SECRET}-1")):
            answer = connection.ask(bind(statement="q"), execute(), SYNC)
            assert answer.errors == [] and answer.rows[0] == [expected]


def test_deallocate_all_by_one_client_leaves_the_others(walls):
    with walls.node.raw_sql("acme") as one, walls.node.raw_sql("acme") as other:
        for connection in (one, other):
            connection.ask(parse("SELECT 42", name="s"), SYNC)
        for statement in ("DEALLOCATE ALL", "DISCARD ALL", "DISCARD PLANS", "DO $$BEGIN EXECUTE 'DEALLOCATE ALL'; END$$"):
            one.query(statement)
            assert other.ask(bind(statement="s"), execute(), SYNC).rows == [["42"]], statement
        assert one.ask(bind(statement="s"), execute(), SYNC).errors == ["26000"], "its own are gone, as it asked"


@pytest.mark.parametrize("left", ["SET default_transaction_read_only = on", "DO $$BEGIN SET default_transaction_read_only = on; END$$",
                                  "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"])
def test_read_only_left_behind(walls, left):
    """The register cannot be written in read-only transactions: the next tenant must not get the last one's rows."""
    with walls.node.raw_sql("acme") as connection:
        connection.query(left)
    with walls.node.raw_sql("globex") as connection:
        assert connection.query("SELECT title FROM notes ORDER BY title LIMIT 1").rows == [[f"{SECRET}-1"]]
        assert connection.query("UPDATE notes SET amount = 11 WHERE id = 1").tags == ["UPDATE 1"]


@pytest.mark.parametrize("timeout", ["statement_timeout = '3ms'", "lock_timeout = '1ms'", "idle_session_timeout = '20ms'",
                                     "idle_in_transaction_session_timeout = '5ms'"])
def test_a_reset_that_is_made_to_fail(walls, timeout):
    """1,500 temporary tables and a tiny time-out make DISCARD ALL fail; then the connection must not be used again."""
    many = "DO $$BEGIN FOR i IN 1..1500 LOOP EXECUTE 'CREATE TEMP TABLE t' || i || ' (x int)'; END LOOP; END$$"
    with walls.node.raw_sql("acme") as connection:
        first = pid_of(connection)
        answer = connection.query(many)
        assert answer.errors == [] or connection.query(many.replace("1500", "500")).errors == []
        run(connection, ["CREATE TEMP TABLE notes AS SELECT 'planted'::text AS title", "SET search_path = pg_temp, public"])
        connection.query(f"SET {timeout}")
    with walls.node.raw_sql("globex") as connection:
        answer = connection.query("SELECT title FROM notes ORDER BY title")
        assert answer.rows == [[f"{SECRET}-{n}"] for n in (1, 2, 3)], answer.error_text
        assert connection.query("SHOW search_path").rows == [['"$user", public']]
        assert connection.query(COUNT_TEMPORARY).rows == [["0"]] or pid_of(connection) != first


def hidden(statement):
    """The statement where the door does not see it."""
    return f"DO $do$BEGIN EXECUTE $text${statement}$text$; END$do$"


def test_a_role_is_not_changed_by_accident(walls):
    with walls.node.raw_sql("acme") as connection:
        for statement in ("ALTER ROLE CURRENT_USER PASSWORD 'x'", "alter /* */ user current_user SET work_mem = '64kB'",
                          "SELECT 1; ALTER ROLE CURRENT_USER RESET ALL"):
            assert connection.query(statement).errors == ["42501"]
            assert connection.ask(parse(statement), bind(), execute(), SYNC).errors != []


def test_a_role_that_was_changed(walls):
    """A role may change its own settings and password; they count from the next login of the door on."""
    with walls.node.superuser() as server:
        server.execute("GRANT CONNECT ON DATABASE partywall_narrow TO CURRENT_USER")
    with walls.node.raw_sql("acme") as connection:
        role = connection.query("SELECT current_user").rows[0][0]
        run(connection, map(hidden, [
            "ALTER ROLE CURRENT_USER SET search_path = pg_catalog",
            "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on",
            "ALTER ROLE CURRENT_USER SET statement_timeout = '1ms'",
            "ALTER ROLE CURRENT_USER SET row_security = off",
            "ALTER ROLE CURRENT_USER SET role = 'pg_monitor'",
            "ALTER ROLE CURRENT_USER IN DATABASE partywall_narrow SET work_mem = '64kB'",
            "ALTER ROLE CURRENT_USER SET session_preload_libraries = 'nothing'",
            "ALTER ROLE CURRENT_USER CONNECTION LIMIT 0", "ALTER ROLE CURRENT_USER VALID UNTIL '2000-01-01'",
            "ALTER ROLE CURRENT_USER NOLOGIN", f"ALTER ROLE {role} RENAME TO gone"]))
    end_server_connections(walls.node)
    with contextlib.closing(connect_patiently(walls.node, "globex")) as connection:
        assert connection.query("SHOW search_path").rows == [['"$user", public']]
        assert connection.query("SHOW work_mem").rows == [["4MB"]]
        assert connection.query("UPDATE notes SET amount = 12 WHERE id = 1").tags == ["UPDATE 1"]
        assert connection.query("SELECT pg_sleep(0.02), count(*) FROM notes").rows == [["", "3"]]


@pytest.mark.parametrize("change", ["SET local_preload_libraries = 'nothing'", "IN DATABASE postgres SET work_mem = '64kB'",
                                    "IN DATABASE template1 SET search_path = pg_temp"])
def test_a_setting_that_keeps_the_door_out(walls, change):
    """A library that is not there ends every login; a setting for another database is not this one's."""
    with walls.node.raw_sql("acme") as connection:
        assert connection.query(hidden(f"ALTER ROLE CURRENT_USER {change}")).errors == []
    end_server_connections(walls.node)
    with contextlib.closing(connect_patiently(walls.node, "globex")) as connection:
        assert connection.query("SELECT count(*) FROM notes").rows == [["3"]]
    with walls.node.superuser() as server:
        # The limit on temporary files is `schema protect`'s.
        left = server.execute("SELECT DISTINCT unnest(setconfig) FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole "
                              "WHERE rolname LIKE 'narrow_slot%'")
        assert left.fetchall() == [("temp_file_limit=1048576",)]


COSTLY = "'SCRAM-SHA-256$200000:c2FsdHNhbHRzYWx0c2E=$" + "A" * 43 + "=:" + "A" * 43 + "='"


@pytest.mark.parametrize("password", ["'stolen'", "NULL", COSTLY])
def test_a_password_that_was_changed(walls, password):
    """A tenant locks the door out of its own server role: others are served again soon, and nobody else gets in.

    A verifier of many iterations does not keep the door busy either."""
    with walls.node.raw_sql("acme") as connection:
        role = connection.query("SELECT current_user").rows[0][0]
        assert connection.query(hidden(f"ALTER ROLE CURRENT_USER PASSWORD {password}")).errors == []
    end_server_connections(walls.node)
    with contextlib.closing(connect_patiently(walls.node, "globex")) as connection:
        assert connection.query("SELECT count(*) FROM notes").rows == [["3"]]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=walls.node.run["postgresql"]["port"], user=role, password="stolen",
                        dbname=walls.node.database)
    assert "has been put right" in walls.node.log()


def end_server_connections(node):
    with node.superuser() as server:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE %s", (f"{node.name}_slot_%",))


def connect_patiently(node, tenant, seconds=6):
    """The door has to log in again first."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection = node.raw_sql(tenant)
            if connection.query("SELECT 1").errors == []:
                return connection
            connection.close()
        except (EOFError, ConnectionError):
            pass
        assert time.monotonic() < deadline, f"{tenant} is not served any more:\n{node.log()[-2000:]}"
        time.sleep(0.1)


def test_portals_do_not_outlive_their_client(walls):
    """A suspended portal of one client is not the next one's."""
    with walls.node.raw_sql("acme") as connection:
        connection.query("BEGIN")
        connection.ask(parse("SELECT title FROM notes ORDER BY title"), bind(portal="p"), execute("p", rows=1), SYNC)
    with walls.node.raw_sql("globex") as connection:
        assert connection.ask(execute("p"), SYNC).errors == ["34000"]
        connection.query("BEGIN")
        assert connection.ask(execute("p"), SYNC).errors == ["34000"]


def test_an_abandoned_extended_query(walls):
    """A client goes in the middle of messages that have no Sync yet: the next one's answers are its own."""
    for messages in ([parse("SELECT 'acme'"), bind(), execute()], [parse("SELECT pg_sleep(0.05)"), bind(), execute(), SYNC],
                     [parse("SELECT 'acme'", name="x")], [parse("COPY notes TO STDOUT"), bind(), execute()],
                     [parse("BEGIN"), bind(), execute(), parse("COPY notes (id, title) FROM STDIN"), bind(), execute(), SYNC]):
        connection = walls.node.raw_sql("acme")
        connection.send(b"".join(messages))
        time.sleep(0.01)
        connection.abort()
        with walls.node.raw_sql("globex") as other:
            assert other.query("SELECT 'globex'").rows == [["globex"]]
            answer = other.ask(parse("SELECT title FROM notes ORDER BY 1"), bind(), describe("P"), execute(), SYNC)
            assert [row[0] for row in answer.rows] == [f"{SECRET}-{n}" for n in (1, 2, 3)]
