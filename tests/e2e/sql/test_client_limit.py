"""No tenant takes all connections of the door, nor the files that they need."""
import contextlib
import socket
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


def test_a_crowd_takes_neither_the_admin_port_s_files_nor_the_neighbours(postgres, binary, tmp_path):
    """The node may open 256 files: fewer than its doors' max_connections, and than the crowd wants."""
    limited = tmp_path / "partywall"
    limited.write_text(f'#!/bin/sh\nulimit -n 256\nexec {binary} "$@"\n')
    limited.chmod(0o755)
    with SqlStack(postgres, limited, slots=4) as stack, contextlib.ExitStack() as crowd:
        assert "the doors take fewer clients" in stack.log() and "doors.sql.max_connections: 112 instead of 10000" in stack.log()
        logged_in = 0
        with pytest.raises(psycopg.OperationalError, match="tenant acme has 28 connections"):
            while logged_in < 300:
                crowd.enter_context(stack.connect("acme"))
                logged_in += 1
        for _ in range(300):  # and who does not even log in
            crowd.enter_context(socket.create_connection(("127.0.0.1", stack.port), timeout=5))
        assert stack.metric("partywall_sql_transactions_total", tenant="acme") == 0, "the admin port answers"
        crowd.close()
        with wait_for_login(stack, "globex") as neighbour:
            assert neighbour.execute("SELECT 1").fetchall() == [(1,)]
