"""The log of slow statements: no constant of a tenant is in it."""
import json

from sql_stack import SqlStack
from support.waiting import wait_until


def all_are_slow(platform):
    platform["doors"] = {"sql": {"slow_statements": {"threshold": "1h", "tiers": {"free": {"threshold": "20ms"}}}}}


def slow(stack):
    lines = [json.loads(line) for line in stack.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == "slow statement"]


def test_slow_statements_are_logged_without_constants(postgres, binary):
    with SqlStack(postgres, binary, change=all_are_slow) as stack:
        with stack.connect("acme") as connection, stack.connect("globex") as neighbour:
            connection.execute("SELECT pg_sleep(0.03), 'opensesame' /* opensesame */")
            connection.execute("SELECT pg_sleep(%s), %s::text", [0.03, "opensesame"])
            neighbour.execute("SELECT pg_sleep(0.03), 'of the neighbour'")
            wait_until(lambda: len(slow(stack)) >= 2)
        assert stack.metric("partywall_sql_slow_statements_total", tenant="acme") >= 2
        assert stack.metric("partywall_sql_slow_statements_total", tenant="globex") == 0
        texts = [line["statement"] for line in slow(stack)]
        assert "SELECT pg_sleep(?), ?" in texts and "SELECT pg_sleep($1), $2::text" in texts
        assert {line["tenant"] for line in slow(stack)} == {"acme"}
        assert all(line["duration_ms"] >= 20 for line in slow(stack))
        assert "opensesame" not in stack.log() and "of the neighbour" not in stack.log()
