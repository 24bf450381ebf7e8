import pytest
from support.cell import ProtectedDatabase
from support.register import TENANT_A, TENANT_B

SCHEMA = f"""
CREATE TABLE item (tenant_id uuid NOT NULL, id int NOT NULL, name text, PRIMARY KEY (tenant_id, id));
INSERT INTO item SELECT t, i, t || ' item ' || i
  FROM (VALUES ('{TENANT_A}'::uuid), ('{TENANT_B}')) AS tenants(t), generate_series(1, 5000) AS i;
ANALYZE item;
"""


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
