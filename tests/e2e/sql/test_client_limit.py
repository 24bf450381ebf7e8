"""No tenant takes all connections of the door."""
import time

import psycopg
import pytest
from sql_stack import SqlStack


def wait_for_login(stack, tenant, patience=30):
    """The door learns of a client that has gone within moments."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return stack.connect(tenant)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the seat is not given back"
            time.sleep(0.05)


def test_a_tenants_connections_are_bounded_and_its_neighbours_are_not_concerned(postgres, binary):
    def change(platform):
        platform["doors"] = {"sql": {"max_tenant_connections": 3}}

    with SqlStack(postgres, binary, workers=2, change=change) as stack:
        held = [stack.connect("acme") for _ in range(3)]
        for _ in range(5):
            with pytest.raises(psycopg.OperationalError, match="tenant acme has 3 connections"):
                stack.connect("acme")
        with stack.connect("globex") as neighbour:
            assert neighbour.execute("SELECT 1").fetchall() == [(1,)]
        # The application's own login is nobody's: it is not counted.
        with stack.connect("app") as application:
            assert application.closed is False
        held.pop().close()
        with wait_for_login(stack, "acme") as again:
            assert again.execute("SELECT 1").fetchall() == [(1,)]
        for connection in held:
            connection.close()
