"""Fixtures of every end-to-end suite. Run them with: /usr/bin/python3 -m pytest tests/e2e"""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support.paths import partywall_binary  # noqa: E402
from support.postgres import Postgres  # noqa: E402
from support.redis_server import RedisServer  # noqa: E402
from support.stack import doors_of  # noqa: E402
from support.up import Up, stack_folder  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; only in scripts/test --long")


@pytest.fixture(scope="session")
def postgres():
    """A private PostgreSQL for the whole run. What a test creates in it is the test's to remove."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(postgres):
    """The name of a fresh database, dropped after the test."""
    name = postgres.create_database()
    yield name
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def redis_server():
    """A private Redis for the whole run."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def up():
    """A whole embedded stack for the run, with the example shop: `up.run` has ports, tokens and passwords. Tests that
    stop or break something start an Up of their own. acme is on the free tier: its rate is soon used up."""
    with stack_folder() as folder, Up(folder / "data", folder / "log") as stack:
        yield stack


@pytest.fixture(scope="session")
def binary():
    """The path of the partywall binary under test."""
    return partywall_binary()


@pytest.fixture(scope="session")
def stack():
    """Another stack for the whole run, to be attacked through its doors. Its tenants are acme (free) and globex
    (enterprise)."""
    with stack_folder() as folder, Up(folder / "data", folder / "log") as up:
        yield doors_of(up)
