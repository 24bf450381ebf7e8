"""max_cpu_seconds: a tenant that uses too much of the database comes last, then begins nothing; its neighbours notice nothing."""
import psycopg
import pytest
from sql_stack import SqlStack
from test_console import OPERATORS, show


def small_budget(platform):
    platform["tiers"] = {"free": {"max_cpu_seconds": 1}}
    platform["doors"] = {"sql": {"console": OPERATORS}}


@pytest.fixture(scope="module")
def stack(postgres, binary):
    """acme may use one second of an hour; two workers have one account."""
    with SqlStack(postgres, binary, workers=2, change=small_budget) as started:
        yield started


def use(connection, seconds):
    connection.execute("SELECT pg_sleep(%s)", [seconds])


def counted(stack, name, tenant="acme"):
    return stack.metric(f"partywall_sql_{name}_total", tenant=tenant)


def test_over_the_budget_then_over_twice_of_it(stack):
    with (stack.connect("acme") as kept, stack.connect("acme") as other, stack.connect("acme") as open_one,
          stack.connect("app") as application):
        open_one.execute("BEGIN")
        open_one.execute("SELECT 1")
        kept.execute("SET work_mem = '1MB'")  # keeps its server connection
        use(kept, 1.2)
        assert counted(stack, "budget_refusals") == 0
        use(kept, 1.2)
        for connection in (kept, other):
            with pytest.raises(psycopg.errors.ConfigurationLimitExceeded) as refusal:
                connection.execute("SELECT 1")
            assert "max_cpu_seconds" in refusal.value.diag.message_primary
            assert refusal.value.diag.message_hint.startswith("Try again in ")
        application.execute("BEGIN")
        application.execute(f"SET LOCAL app.current_tenant = '{stack.context('acme')}'")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
            application.execute("SELECT 1")
        application.execute("ROLLBACK")
        # What has begun goes on, and a neighbour notices nothing.
        assert open_one.execute("SELECT 2").fetchone() == (2,)
        open_one.execute("COMMIT")
        with stack.connect("globex") as neighbour:
            use(neighbour, 1.2)
            assert neighbour.execute("SELECT 3").fetchone() == (3,)
        assert counted(stack, "budget_refusals") == 3
        assert counted(stack, "budget_refusals", "globex") == 0
        tenants = {one["tenant"]: one for one in show(stack, "TENANTS")}
        assert tenants["acme"]["max_cpu_seconds"] == 1 and float(tenants["acme"]["db_time"]) > 2
        assert float(tenants["globex"]["db_time"]) > 1
        assert [one["budget_refusals"] for one in show(stack, "STATS") if one["tenant"] == "acme"] == [3]
