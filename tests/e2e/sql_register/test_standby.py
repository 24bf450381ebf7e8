"""The register on a hot standby, and after a crash."""
import time

import psycopg
import pytest
from psycopg import errors
from support.cell import ProtectedDatabase
from support.postgres import Postgres
from support.register import TENANT_A, enter

from shop_schema import SCHEMA


@pytest.fixture(scope="module")
def primary_and_standby(binary):
    with Postgres() as primary:
        cell = ProtectedDatabase(primary, binary, primary.create_database())
        cell.execute(SCHEMA)
        cell.protect()
        standby = primary.make_standby()
        with standby:
            yield cell, standby
        cell.remove()


def test_on_a_hot_standby_it_fails_closed(primary_and_standby):
    """Sequences cannot be written there. Replicas need a login per tenant (later work)."""
    cell, standby = primary_and_standby
    with standby.connect(cell.name, cell.slot_role(1), cell.slot_password) as session:
        assert session.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        with pytest.raises(psycopg.Error) as refused:
            enter(session, cell.key, TENANT_A)
        # 0A000 "cannot access temporary or unlogged relations during recovery" from 15 on.
        assert refused.value.sqlstate in ("25006", "0A000")
        with pytest.raises(psycopg.Error) as closed:
            session.execute("SELECT * FROM item")
        assert closed.value.sqlstate in ("55000", "0A000")


def test_after_a_crash_it_works_as_before(primary_and_standby):
    cell, _ = primary_and_standby
    session = cell.connect_slot(tenant=TENANT_A)
    cell.postgres.crash()
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    cell.postgres.start()
    with cell.connect_slot() as after:
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            after.execute("SELECT * FROM item")
        enter(after, cell.key, TENANT_A)
        assert after.execute("SELECT count(*) FROM item").fetchone() == (5000,)
    assert cell.steps() == []
