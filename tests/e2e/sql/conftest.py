import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from sql_stack import SqlStack  # noqa: E402


@pytest.fixture(scope="module")
def stack(postgres, binary):
    """A sql door of its own for each file, with one row for acme and one for globex."""
    with SqlStack(postgres, binary) as started:
        for tenant in ("acme", "globex"):
            with started.connect(tenant) as connection:
                connection.execute("INSERT INTO notes (body) VALUES (%s)", [f"of {tenant}"])
        yield started
