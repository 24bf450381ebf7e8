"""acme tries to watch, disturb, cancel or starve globex at the sql door."""
import contextlib
import struct
import threading
import time

import pytest

from oracle import SECRET
from support.raw_postgres import (SYNC, LoginRefused, RawPostgres, bind, cancel, execute, message, parse, query)
from support.raw_socket import RawSocket
from support.waiting import wait_until


@contextlib.contextmanager
def busy(node, tenant, sql=f"SELECT pg_sleep(1.5), '{SECRET}'"):
    """The tenant runs a statement meanwhile; yields a function that waits for its answer."""
    with node.raw_sql(tenant) as connection:
        connection.send(query(sql))
        time.sleep(0.1)
        yield connection.read_answer


def backend_of(node, like):
    with node.superuser() as server:
        return server.execute("SELECT pid FROM pg_stat_activity WHERE query LIKE %s AND usename <> current_user", (like,)).fetchone()[0]


WATCHING = ["SELECT * FROM pg_stat_activity", "SELECT pg_stat_get_activity(NULL)", "SELECT * FROM pg_stat_get_activity(NULL)",
            "SELECT pg_stat_get_backend_activity(n) FROM generate_series(1, 100) n", "SELECT * FROM pg_prepared_statements",
            "SELECT * FROM pg_cursors", "SELECT * FROM pg_stat_statements", "SELECT * FROM pg_locks",
            "SELECT * FROM pg_stat_progress_copy", "SELECT * FROM pg_stat_user_tables", "SELECT pg_current_logfile()",
            "SELECT * FROM pg_replication_slots", "SELECT pg_log_backend_memory_contexts(1)"]


def test_statements_of_the_neighbour_cannot_be_seen(lab):
    with busy(lab, "globex") as finish:
        with lab.superuser() as server:
            seen = server.execute("SELECT string_agg(query, ' ') FROM pg_stat_activity").fetchone()[0]
        assert SECRET in seen, "the control: it is there to be seen"
        with lab.raw_sql("acme") as spy:
            for question in WATCHING:
                answer = spy.query(question)
                assert SECRET not in repr(answer.messages), question
        assert finish().errors == []


def test_a_shared_role_would_show_them(naive):
    """The control: two tenants that log in as the same role see and cancel each other."""
    with naive.connect("naive") as neighbour, naive.connect("naive") as spy:
        neighbour.send(query(f"SELECT pg_sleep(5), '{SECRET}'"))
        time.sleep(0.1)
        assert SECRET in repr(spy.query("SELECT query FROM pg_stat_activity").rows)
        spy.query(f"SELECT pg_cancel_backend({neighbour.key[0]})")
        assert neighbour.read_answer().errors == ["57014"]


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
def test_nobody_stops_the_neighbours_statement(lab, how):
    with busy(lab, "globex") as finish:
        victim = backend_of(lab, f"%{SECRET}%")
        with lab.raw_sql("acme") as attacker:
            assert attacker.query(f"SELECT {how}({victim})").errors == ["42501"]
            attacker.query(f"SELECT {how}(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            attacker.query(f"SELECT {how}(pid) FROM pg_stat_activity WHERE pid = {victim}")
        assert finish().rows == [["", SECRET]]


def test_cancel_keys_are_the_doors_own_and_cannot_be_guessed(lab):
    """The pid and secret of PostgreSQL are nobody's cancel key; nor is a neighbour's key with one bit changed."""
    with lab.raw_sql("globex") as neighbour:
        neighbour.send(query(f"SELECT pg_sleep(1), '{SECRET}'"))
        time.sleep(0.1)
        pid, secret = neighbour.key
        server_pid = backend_of(lab, f"%{SECRET}%")
        for key in ((pid, secret ^ 1), (pid ^ 1, secret), (server_pid, secret), (server_pid, 0), (pid, 0), (0, secret), (-1, -1)):
            assert cancel(lab.ports["sql"], key) == b""
            assert cancel(lab.run["postgresql"]["port"], key) == b""
        assert neighbour.read_answer().rows == [["", SECRET]]


def test_the_own_statement_can_be_cancelled(lab):
    """Otherwise the tests around this one would prove nothing."""
    with lab.raw_sql("acme") as connection:
        connection.send(query("SELECT pg_sleep(10)"))
        time.sleep(0.1)
        cancel(lab.ports["sql"], connection.key)
        assert connection.read_answer().errors == ["57014"]
        assert connection.query("SELECT 1").rows == [["1"]]


def test_a_late_cancel_hits_nobody_else(narrow):
    """acme cancels while globex already has the server connection that acme's statement ran on."""
    with narrow.raw_sql("acme") as attacker, narrow.raw_sql("globex") as neighbour:
        pid = attacker.query("SELECT pg_backend_pid()").rows
        for _ in range(8):
            attacker.query("SELECT 1")
            neighbour.send(query("SELECT pg_backend_pid(), pg_sleep(0.15)"))
            time.sleep(0.03)
            cancel(narrow.ports["sql"], attacker.key)
            answer = neighbour.read_answer()
            assert answer.errors == [] and answer.rows[0][:1] == pid[0], "the same server connection, not cancelled"


def test_cancels_that_race_with_the_end_of_a_statement(narrow):
    """Many cancels around the moment at which the connection changes hands."""
    stop = threading.Event()

    def cancel_for_ever(key):
        while not stop.is_set():
            cancel(narrow.ports["sql"], key)
            time.sleep(0.005)

    with narrow.raw_sql("acme") as attacker, narrow.raw_sql("globex") as neighbour:
        thread = threading.Thread(target=cancel_for_ever, args=(attacker.key,), daemon=True)
        thread.start()
        try:
            for number in range(60):
                attacker.send(query("SELECT pg_sleep(0.002)"))
                answer = neighbour.query(f"SELECT {number}, pg_sleep(0.002)")
                assert answer.errors == [], answer.error_text
                assert answer.rows[0][0] == str(number)
                assert attacker.read_answer().errors in ([], ["57014"])
        finally:
            stop.set()
            thread.join()


def test_a_dead_connection_costs_nobody_its_turn(narrow):
    """The connection that globex is to have after acme dies before it is reset: globex gets the next one."""
    with narrow.raw_sql("acme") as other, narrow.raw_sql("globex") as waiting, narrow.superuser() as server:
        other.send(query("SELECT pg_sleep(0.2)"))
        time.sleep(0.05)
        assert waiting.query("SELECT 1").errors == [], "it has waited in the queue once"
        other.read_answer()
        assert other.query("SELECT 1").errors == []
        server.execute("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE usename LIKE 'narrow_slot_%'")
        answer = waiting.query("SELECT 2")
        assert answer.errors == [], answer.error_text
        assert answer.rows == [["2"]]


def test_plain_postgresql_cancels_whatever_runs(naive):
    """The control: a cancel request names a server connection, not whose statement it was for."""
    with naive.connect("naive") as pooled:
        key = pooled.key  # kept by the first client of a pool
        pooled.send(query("SELECT pg_sleep(10)"))  # sent by the second
        time.sleep(0.1)
        cancel(naive._stack.run["postgresql"]["port"], key)
        assert pooled.read_answer().errors == ["57014"]


def test_a_tenant_cannot_take_all_server_connections(lab):
    """acme may have 5 busy at once; its further statements wait, and globex does not."""
    connections = [lab.raw_sql("acme") for _ in range(12)]
    with contextlib.ExitStack() as stack:
        for connection in connections:
            stack.enter_context(connection)
            connection.send(query("SELECT pg_sleep(1)"))
        time.sleep(0.3)
        with lab.superuser() as server:
            running = server.execute("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1)' AND state = 'active'")
            assert running.fetchone() == (5,), "acme has exactly what its tier allows"
        with lab.raw_sql("globex") as neighbour:
            started = time.monotonic()
            assert neighbour.query("SELECT count(*) FROM countries").rows == [["2"]]
            assert time.monotonic() - started < 0.7, "globex did not wait for acme's"
        assert all(connection.read_answer().errors == [] for connection in connections)


def test_idle_transactions_count_as_busy(lab):
    """Connections held by open transactions are limited, too."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(lab.raw_sql("acme")) for _ in range(7)]
        for connection in connections:
            connection.send(query("BEGIN") + query("SELECT 1"))
        with lab.superuser() as server:
            def in_transactions():
                return server.execute("SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'lab_slot_%' "
                                      "AND state = 'idle in transaction'").fetchone()[0]
            wait_until(lambda: in_transactions() == 5, "as many open transactions as the tier allows")
            with lab.raw_sql("globex") as neighbour:
                assert neighbour.query("SELECT 1").rows == [["1"]]
            assert in_transactions() == 5


def test_the_doors_clock_ends_statements(stack):
    """acme's tier allows 5 s; SET statement_timeout = 0 does not change that."""
    with stack.raw_sql("acme") as connection:
        assert connection.query("SET statement_timeout = 0").errors == []
        started = time.monotonic()
        answer = connection.query("SELECT pg_sleep(20)")
        assert answer.errors == ["57014"], answer.error_text
        assert 4 < time.monotonic() - started < 9


def test_hostile_messages_hurt_only_their_sender(lab):
    """Lying lengths, unknown types, floods: the sender is refused, the neighbour does not notice."""
    nasty = [
        b"Q" + struct.pack("!i", 2**31 - 1) + b"SELECT 1",
        b"Q" + struct.pack("!i", 3), b"Q" + struct.pack("!i", 0), b"Q" + struct.pack("!i", -1),
        b"Z" + struct.pack("!i", 5) + b"I", b"\0\0\0\0\0", b"\xff" * 5000, b"R" + struct.pack("!ii", 8, 0),
        message("Q", b"SELECT 'no zero byte at the end'"), message("Q", b"SELECT\0 1\0"), message("P", b"x"), message("B", b"x"),
        message("P", b"\0SELECT 1\0" + struct.pack("!h", 32767)), message("B", b"\0\0" + struct.pack("!hhh", 0, 32767, 0)),
        message("D", b"X\0"), message("C", b"\xff\0"), message("E", b"\0"), message("F", b"\0" * 3), message("d", b"x" * 100), message("c"),
        message("f", b"no copy\0"), message("p", b"again\0"), parse("SELECT " + "1," * 50_000 + "1") + SYNC,
        query("SELECT '" + "x" * 3_000_000 + "'"), query("(" * 20_000 + "SELECT 1" + ")" * 20_000), query("'" * 9_999), query("/*" * 9_999),
        bind("x", statement="never"), execute("never"), parse("SELECT 1", name="n" * 60_000) + SYNC,
    ]
    with lab.raw_sql("globex") as neighbour:
        for data in nasty:
            with lab.raw_sql("acme") as attacker:
                with contextlib.suppress(ConnectionError):
                    attacker.send(data + SYNC + query("SELECT 1"))
                    attacker.end_sending()
                received = b""
                with contextlib.suppress(TimeoutError):
                    attacker.socket.settimeout(3)
                    received = attacker.read_all()
                assert SECRET.encode() not in received
            assert neighbour.query("SELECT 7").rows == [["7"]]


@pytest.mark.parametrize("data", [
    b"", b"\0\0\0\x04", b"\0\0\0\0\0\0\0\0", b"\xff\xff\xff\xff\0\3\0\0", b"\0\0\0\x08\0\3\0\0", b"\0\0\x27\x11\0\3\0\0" + b"x" * 9993,
    b"\0\0\0\x10\x04\xd2\x16\x2e", b"\0\0\0\x08\x04\xd2\x16\x2f" * 50, b"\0\0\0\x08\x04\xd2\x16\x30", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"*1\r\n$4\r\nPING\r\n", b"\0\0\0\x12\0\3\0\0user\0acme\0\0" * 3,
    struct.pack("!ii", 17, 196608) + b"user\0acme", b"\0\0\0\x0f\0\2\0\0user\0a\0",
], ids=lambda data: data[:12].hex())
def test_hostile_beginnings(lab, data):
    with RawSocket(lab.ports["sql"]) as attacker:
        with contextlib.suppress(ConnectionError):
            attacker.send(data)
            attacker.end_sending()
        attacker.socket.settimeout(3)
        with contextlib.suppress(TimeoutError, ConnectionError):
            assert SECRET.encode() not in attacker.read_all()
    with lab.raw_sql("globex") as neighbour:
        assert neighbour.query("SELECT 7").rows == [["7"]]


def test_the_neighbours_password_is_needed(lab):
    _, own = lab.sql_login("acme")
    _, theirs = lab.sql_login("globex")
    def log_in(user, password, database=lab.database):
        return RawPostgres(lab.ports["sql"], user, password, database)

    with log_in("globex", theirs):
        pass  # the control
    place = lab.run["postgresql"]
    for user, password in (("globex", own), ("globex", ""), ("GLOBEX", own), ("globex.", own), ("globex.x", own), ("acme.globex", own),
                           ("", own), (place["user"], place["password"]), ("lab_slot_001", own), ("shop_owner", own),
                           (lab.tenant_id("globex"), own), ("globex\0acme", own)):
        with pytest.raises((LoginRefused, EOFError, ConnectionError)):
            log_in(user, password)


def test_a_refused_login_does_not_tell_who_exists(lab):
    """A known and an unknown user get the same messages and the same error."""
    def talk(user):
        seen = []
        try:
            RawPostgres(lab.ports["sql"], user, "wrong", lab.database)
        except LoginRefused as refused:
            fields = refused.fields
            seen = [fields["C"], fields["M"].replace(user, "?")]
        return seen

    assert talk("globex") == talk("nobody-of-that-name") != []
