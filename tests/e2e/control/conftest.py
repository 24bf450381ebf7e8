import pytest
from support.control import Control


@pytest.fixture(scope="module")
def control(postgres, tmp_path_factory):
    """A control plane with the shipped tiers and a cell; what tests create in it they name for themselves."""
    database = postgres.create_database()
    made = Control(postgres, database, tmp_path_factory.mktemp("control"))
    try:
        for tier, connections in (("free", 5), ("pro", 20)):
            put = made.owner.put(f"/v1/tiers/{tier}", {"limits": {"max_db_connections": connections}})
            assert put.status in (201, 428), put
        made.cell("main", region="eu")
        yield made
    finally:
        made.stop()
        postgres.drop_database(database)
