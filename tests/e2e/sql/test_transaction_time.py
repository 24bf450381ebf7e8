"""transaction_timeout: nobody keeps what others wait for by saying something now and then."""
import threading

import psycopg
import pytest
from sql_stack import SqlStack


def short_transactions(platform):
    platform["tiers"]["free"] |= {"statement_timeout": "1s"}
    platform["doors"] = {"sql": {"transaction_timeout": "1s"}}


@pytest.fixture(scope="module")
def stack(postgres, binary):
    with SqlStack(postgres, binary, workers=2, change=short_transactions) as started:
        yield started


def keep_saying_something(connection):
    """Until it is ended."""
    while True:
        connection.execute("SELECT pg_sleep(0.05)")


def test_a_lock_is_let_go_though_its_owner_is_never_idle(stack):
    with stack.connect("acme") as attacker, stack.connect("globex") as neighbour:
        attacker.execute("BEGIN")
        attacker.execute("LOCK TABLE notes IN ACCESS EXCLUSIVE MODE")
        seen = []
        waiting = threading.Thread(target=lambda: seen.append(neighbour.execute("SELECT count(*) FROM notes").fetchone()))
        waiting.start()
        with pytest.raises(psycopg.OperationalError, match="a transaction of more than 1000 ms"):
            keep_saying_something(attacker)
        waiting.join(60)
        assert seen == [(0,)]
    assert stack.metric("partywall_sql_statement_timeouts_total", tenant="acme") >= 1


def test_transactions_one_after_another_and_migrations_have_all_the_time(stack):
    with stack.connect("acme") as connection, stack.connect("migration") as migration:
        migration.execute("BEGIN")
        migration.execute("SELECT 1")
        for _ in range(30):
            connection.execute("BEGIN")
            keep = connection.execute("SELECT pg_sleep(0.05)")
            connection.execute("COMMIT")
            assert keep.statusmessage == "SELECT 1"
        assert migration.execute("SELECT pg_sleep(0.1), 7").fetchone()[1] == 7
        migration.execute("COMMIT")
