import pathlib
import sys

import pytest
from support.cell import ProtectedDatabase

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from shop_schema import SCHEMA  # noqa: E402


@pytest.fixture(scope="module")
def shop(postgres, binary):
    """A protected database with 5,000 items of each of two tenants."""
    cell = ProtectedDatabase(postgres, binary, postgres.create_database())
    cell.execute(SCHEMA)
    cell.protect()
    yield cell
    cell.remove()


@pytest.fixture(scope="module")
def shop_with_temp(postgres, binary):
    """The same in a cell that allows temporary tables."""
    cell = ProtectedDatabase(postgres, binary, postgres.create_database(), allow_temp=True)
    cell.execute(SCHEMA)
    cell.protect()
    yield cell
    cell.remove()


@pytest.fixture
def cell(postgres, binary, database):
    """A fresh, empty database that is not protected yet."""
    cell = ProtectedDatabase(postgres, binary, database, slots=3)
    yield cell
    cell.remove()
