"""The doors beside what they stand in front of: one node whose application echoes what it gets."""
import pytest

from support.raw_http import EchoApplication
from support.stack import Node

SCHEMA = """
CREATE TABLE item (tenant_id uuid NOT NULL, id int NOT NULL, name text NOT NULL, n int, PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, name));
CREATE TABLE other (tenant_id uuid NOT NULL, id int NOT NULL, name text NOT NULL, n int, PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, name));
"""


@pytest.fixture(scope="session")
def application():
    server = EchoApplication()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def node(stack, application):
    def change(platform):
        for tenant in platform["tenants"]:
            tenant["overrides"] = {"api_rate_limit": {"per_second": 10000, "burst": 10000}}

    one = Node(stack, "differential", SCHEMA, slots=6, instances=[application.port], change=change)
    yield one
    assert one.stop() == 0


@pytest.fixture(scope="session")
def plain_database(stack):
    """A function: a fresh database with the same tables and no door, for one tenant alone."""
    made = []

    def make():
        name = f"partywall_plain_{len(made)}"
        with stack.superuser("postgres") as server:
            server.execute(f"CREATE DATABASE {name}")
        with stack.superuser(name) as server:
            server.execute(SCHEMA)
            for table in ("item", "other"):
                server.execute(f"ALTER TABLE {table} ALTER tenant_id SET DEFAULT '00000000-0000-4000-8000-000000000000'")
        made.append(name)
        return name

    return make
