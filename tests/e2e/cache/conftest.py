"""Fixtures of the cache door's suite."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from cache_stack import TENANTS, CacheStack  # noqa: E402


@pytest.fixture(scope="session", params=["database", "prefix"])
def stack(request):
    """One door and one Redis for all tests that leave them as they were: in each of the two modes."""
    running = CacheStack(mode=request.param).start()
    yield running
    assert running.stop() == 0, "the daemon did not end cleanly"


@pytest.fixture(scope="session")
def prefix_stack():
    running = CacheStack(mode="prefix").start()
    yield running
    assert running.stop() == 0, "the daemon did not end cleanly"


def emptied(stack):
    for slug in TENANTS:
        stack.administrator(slug).flushdb()
    return stack


@pytest.fixture
def cache(stack):
    """The same, with empty databases."""
    return emptied(stack)


@pytest.fixture
def prefixed(prefix_stack):
    """Prefix mode only, with an empty database."""
    return emptied(prefix_stack)


@pytest.fixture
def own_stack():
    """A door and a Redis of the test's own, which it may break."""
    running = CacheStack().start()
    yield running
    running.stop()
