"""Whose a statement is where many travel together: queries of several statements, pipelines, errors, floods."""
import contextlib
import struct
import time

import pytest

from oracle import SECRET
from support.raw_postgres import FLUSH, SYNC, bind, close, describe, execute, function_call, message, parse, query

READ = "SELECT title FROM notes ORDER BY title"
OWN = {"acme": ["acme-1", "acme-2", "acme-3"], "globex": [f"{SECRET}-{n}" for n in (1, 2, 3)]}


@pytest.fixture(scope="module")
def contexts(lab):
    return {tenant: lab.context(tenant, "sql") for tenant in OWN}


def titles(answer):
    return [row[0] for row in answer.rows]


def run(statement, **names):
    return parse(statement) + bind(**names) + execute()


@contextlib.contextmanager
def transaction_of(lab, context):
    """An application's transaction with SET LOCAL, on a server connection already."""
    with lab.raw_sql("application") as connection:
        connection.query("BEGIN")
        connection.query(f"SET LOCAL app.current_tenant = '{context}'")
        assert connection.query("SELECT 1").errors == []
        yield connection


@pytest.mark.parametrize("behind", [
    query(f"COMMIT; {READ}"), query(f"ROLLBACK; {READ}"), query(f"COMMIT; BEGIN; {READ}; COMMIT"), query(f"SELECT 1; END; {READ}"),
    run("COMMIT") + run(READ) + SYNC, run("ROLLBACK") + parse(READ, "named") + bind(statement="named") + execute() + SYNC,
    run("COMMIT") + query(READ), run("COMMIT AND CHAIN") + run(READ) + SYNC, query(f"ROLLBACK AND CHAIN; {READ}"),
    query(f"SELECT 1; COMMIT AND CHAIN; {READ}"), run("PREPARE TRANSACTION 'x'") + run(READ) + SYNC,
])
def test_the_tenant_of_set_local_ends_with_its_transaction(sql_walls, contexts, behind):
    """What follows the end in the same message or pipeline must not run for the transaction's tenant."""
    with transaction_of(sql_walls.node, contexts["globex"]) as connection:
        connection.send(behind + SYNC)
        received = connection.read_answer()
        while received.errors == []:  # the extra Sync's
            received = connection.read_answer()
        assert received.rows == [] and SECRET not in repr(received.messages)
        connection.query("ROLLBACK")
    with sql_walls.node.raw_sql("globex") as neighbour:
        assert titles(neighbour.query(READ)) == OWN["globex"]


@pytest.mark.parametrize("local", ["t", "TRUE", "on", "Yes", " 1", b"\x01"])
def test_set_config_is_local_in_every_spelling(sql_walls, contexts, local):
    """The next user of a pooled application connection must not inherit the tenant of the last one."""
    formats = struct.pack("!hhhh", 3, 0, 0, 1 if isinstance(local, bytes) else 0)
    values = ["app.current_tenant", contexts["globex"], local]
    body = b"\0\0" + formats + struct.pack("!h", len(values))
    for value in values:
        data = value if isinstance(value, bytes) else value.encode()
        body += struct.pack("!i", len(data)) + data
    with sql_walls.node.raw_sql("application") as connection:
        connection.query("BEGIN")
        answer = connection.ask(parse("SELECT set_config($1, $2, $3)"), message("B", body + struct.pack("!h", 0)), execute(), SYNC)
        assert answer.errors == []
        assert titles(connection.query(READ)) == OWN["globex"]
        connection.query("COMMIT")
        assert connection.query(READ).errors == ["28000"]


def test_a_second_tenant_behind_an_unfinished_pipeline(sql_walls, contexts):
    with sql_walls.node.raw_sql("application") as connection:
        connection.query(f"SET app.current_tenant = '{contexts['acme']}'")
        for second in (f"SET app.current_tenant = '{contexts['globex']}'", f"SELECT set_config('app.current_tenant', '{contexts['globex']}', false)"):
            answer = connection.ask(run("SELECT 1"), query(second))
            assert answer.errors == ["25001"], "it must not look as if it had been set"
            assert titles(connection.query(READ)) == OWN["acme"]


def test_a_query_behind_an_error_waits_for_the_sync(lab):
    """As with PostgreSQL: no ReadyForQuery but for the Sync."""
    with lab.raw_sql("acme") as connection:
        for behind in (query("SELECT 1"), function_call(1, b""), run("SELECT 1"), query("COMMIT")):
            answer = connection.ask(run("SELECT 1/0"), behind, SYNC)
            assert answer.errors == ["22012"] and answer.status == "I"
            assert connection.query("SELECT 7").rows == [["7"]]


@pytest.mark.parametrize("settings", ["SET standard_conforming_strings = off", "SET backslash_quote = on", "SET client_encoding = 'SJIS'",
                                      "SET escape_string_warning = off"])
@pytest.mark.parametrize("text", [
    "SELECT '\\'; SET app.current_tenant = ''{}''; --'", "SELECT E'\\'; SET app.current_tenant = ''{}''; --'",
    "SELECT U&'\\0027; SET app.current_tenant = ''{}''; --'", "SELECT $x$; SET app.current_tenant = '{}'; --$x$",
    "SELECT $$ /* $$; SET app.current_tenant = '{}'; SELECT $$ */ $$", "/* /* */ SET app.current_tenant = '{}'; -- */ SELECT 1",
    "SELECT 1 --\r; SET app.current_tenant = '{}'", "SELECT '\x83\\'; SET app.current_tenant = '{}'; --'",
    "SELECT \"\\\"; SET app.current_tenant = '{}'; --\"", "SELECT 'a'\n'\\'; SET app.current_tenant = '{}'; --'",
    "SET U&\"app\".current_tenant = '{}'", "SET \"app.current_tenant\" = '{}'", "SET app.\"current_tenant\" TO '{}'",
    "SET app.current_tenant = E'{}'", "SET app.current_tenant = U&'{}'", "SET LOCAL\tapp . current_tenant\n=\n'{}'",
])
def test_quotes_and_comments_hide_no_tenant(sql_walls, contexts, settings, text):
    """Wherever the door and PostgreSQL might see different statements: rows are those of one's own tenant, or nobody's."""
    with sql_walls.node.raw_sql("acme") as connection:
        connection.query(settings)
        for act in (connection.query, connection.extended):
            act(text.replace("{}", contexts["globex"]))
            answer = connection.query(READ)
            assert SECRET not in repr(answer.messages)
            connection.query("ROLLBACK")
    with sql_walls.node.raw_sql("application") as connection:
        connection.query(f"SET app.current_tenant = '{contexts['acme']}'")
        connection.query(settings)
        connection.query("BEGIN")
        connection.query(READ)
        connection.query(text.replace("{}", contexts["globex"]))
        assert SECRET not in repr(connection.query(READ).messages)


def test_prepared_and_executed_settings(sql_walls, contexts):
    """SQL-level PREPARE and EXECUTE, cursors, DO and functions set nothing that counts."""
    theirs = contexts["globex"]
    with sql_walls.node.raw_sql("acme") as connection:
        for statement in (f"PREPARE s AS SELECT set_config('app.current_tenant', '{theirs}', false)", "EXECUTE s",
                          f"DO $$BEGIN EXECUTE 'SET app.current_tenant = ''{theirs}'''; END$$",
                          f"WITH x AS (SELECT set_config('app.current_tenant', '{theirs}', false)) TABLE x",
                          f"SELECT 1 WHERE set_config('app.current_tenant', '{theirs}', false) <> ''",
                          f"BEGIN; DECLARE c CURSOR FOR SELECT set_config('app.current_tenant', '{theirs}', false); FETCH c"):
            connection.query(statement)
            assert titles(connection.query(READ)) == OWN["acme"]
        connection.query("COMMIT")
        answer = connection.ask(parse("EXECUTE s"), bind(), execute(), run(READ), SYNC)
        assert SECRET not in repr(answer.messages)


def test_portals_end_with_their_transaction(sql_walls):
    with sql_walls.node.raw_sql("acme") as connection:
        connection.query("BEGIN")
        connection.ask(parse(READ), bind(portal="p"), execute("p", rows=1), SYNC)
        answer = connection.ask(run("COMMIT"), execute("p"), SYNC)
        assert answer.errors == ["34000"]
        answer = connection.ask(run("SELECT 1"), describe("P", "p"), SYNC)
        assert answer.errors == ["34000"]


def test_floods_without_a_sync_hurt_only_their_sender(sql_walls):
    """What is never answered is bounded, by counts, bytes and the door's clock."""
    flood = [run("SELECT 1") * 20_000, (parse("SELECT 1", "x") + close("S", "x")) * 20_000, close("S", "none") * 50_000,
             (parse("SELECT '" + "x" * 100_000 + "'", "y") + close("S", "y")) * 200, FLUSH * 50_000, bind(statement="none") * 20_000,
             message("d", b"x" * 1000) * 5000, message("c") * 20_000, run("SELECT repeat('x', 1000000)") * 100]
    with sql_walls.node.raw_sql("globex") as neighbour:
        for data in flood:
            with sql_walls.node.raw_sql("acme") as attacker:
                attacker.socket.settimeout(1)
                with contextlib.suppress(TimeoutError, ConnectionError):
                    attacker.send(run("SELECT 1") + data)
                assert titles(neighbour.query(READ)) == OWN["globex"]


def test_clients_that_leave_at_once(sql_walls):
    """acme begins long statements and goes away, again and again: its connections are stopped, and globex is served meanwhile."""
    with sql_walls.node.raw_sql("globex") as neighbour:
        for _ in range(40):  # more than all slots
            attacker = sql_walls.node.raw_sql("acme")
            attacker.send(query("SELECT pg_sleep(600)"))
            attacker.abort()
            assert titles(neighbour.query(READ)) == OWN["globex"]
    deadline = time.monotonic() + 60
    with sql_walls.node.superuser() as server:
        while (left := server.execute("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'").fetchone()[0]):
            assert time.monotonic() < deadline, f"{left} statements of clients that have gone still run"
            time.sleep(0.05)


ENDLESS = "DO $$BEGIN LOOP BEGIN PERFORM pg_sleep(1); EXCEPTION WHEN query_canceled THEN END; END LOOP; END$$"


def test_what_clients_leave_running_counts_against_their_tenant(sql_walls):
    """acme leaves statements that no cancel ends: no more of them run at once than the 5 connections of its tier, of the 8 there are."""
    with sql_walls.node.raw_sql("globex") as neighbour, sql_walls.node.superuser() as server:
        most = 0
        for number in range(10):
            with sql_walls.node.raw_sql("acme") as attacker:
                attacker.query("SET client_connection_check_interval = 0")
                attacker.send(query(f"{ENDLESS} -- {number}"))
                time.sleep(0.2)  # it runs by then, or waits
                attacker.abort()
            running = server.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s", (ENDLESS + "%",)).fetchone()[0]
            most = max(most, running)
            assert titles(neighbour.query(READ)) == OWN["globex"]
        deadline = time.monotonic() + 60
        while server.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s", (ENDLESS + "%",)).fetchone()[0]:
            assert time.monotonic() < deadline, "one still runs"
            time.sleep(0.1)
    assert 0 < most <= 5


def test_a_statement_that_no_cancel_ends(sql_walls):
    """It catches every cancel, and has switched off what would end it when its client goes: it must not keep a slot for ever."""
    with sql_walls.node.raw_sql("acme") as attacker:
        attacker.query("SET client_connection_check_interval = 0")
        attacker.send(query(ENDLESS))
        time.sleep(0.5)
        attacker.abort()
    deadline = time.monotonic() + 60
    with sql_walls.node.superuser() as server:
        while server.execute("SELECT count(*) FROM pg_stat_activity WHERE query = %s", (ENDLESS,)).fetchone()[0]:
            assert time.monotonic() < deadline, "it still runs"
            time.sleep(0.1)
