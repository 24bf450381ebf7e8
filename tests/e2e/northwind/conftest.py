"""The Northwind data of two tenants in one protected database, and each alone in a database of its own."""
import pathlib
import sys

import pytest
from support.cell import ProtectedDatabase
from support.paths import shared_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from northwind_data import (CHANGES_OF_GLOBEX, DEFERRABLE, TENANTS, ordered_for_foreign_keys,  # noqa: E402
                            split_dump)
from tenant_column import give_tenant_column  # noqa: E402


class Northwind:
    """`door`: both tenants behind the sql door. `alone`: by tenant, the name of a plain database with its data."""

    def __init__(self, cell, door, alone):
        self.cell, self.door, self.alone = cell, door, alone
        self.postgres = cell.postgres


@pytest.fixture(scope="session")
def northwind(postgres, binary):
    schema, rows = split_dump(shared_file("schemas/northwind.sql").read_text())
    assert len(rows) > 3000
    # Each employee reports to another one: put them off until the end of the transaction.
    script = "BEGIN;\nSET CONSTRAINTS ALL DEFERRED;\n" + "\n".join(ordered_for_foreign_keys(rows)) + "\nCOMMIT;\n"
    cell = ProtectedDatabase(postgres, binary, postgres.create_database(), slots=6)
    alone = {tenant: postgres.create_database() for tenant in TENANTS}
    try:
        for database in (cell.name, *alone.values()):
            postgres.psql(text=schema, dbname=database)
            postgres.psql(text=DEFERRABLE, dbname=database)
        with postgres.connect(cell.name, autocommit=False) as connection:
            give_tenant_column(connection)
        cell.protect()
        with cell.serve(TENANTS) as door:
            for tenant in TENANTS:
                door.psql(tenant, script)
                postgres.psql(text=script, dbname=alone[tenant])
            door.psql("globex", CHANGES_OF_GLOBEX)
            postgres.psql(text=CHANGES_OF_GLOBEX, dbname=alone["globex"])
            yield Northwind(cell, door, alone)
    finally:
        cell.remove()
        for database in alone.values():
            postgres.drop_database(database)

