"""Gives each table of a database the tenant column, and makes keys unique within a tenant.

This is what docs/schema-protect.md tells users to do by hand or in a migration.
"""
from psycopg import sql

TABLES = """SELECT oid::regclass::text FROM pg_class
            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"""
# Foreign keys first: they rest on the keys.
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid), condeferrable
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f') ORDER BY contype = 'f' DESC, 1, 2
"""


def with_tenant(definition):
    """PRIMARY KEY (a) → PRIMARY KEY (tenant_id, a); FOREIGN KEY (a) REFERENCES t(b) → both sides."""
    return definition.replace("(", "(tenant_id, ")


def give_tenant_column(connection):
    tables = [name for (name,) in connection.execute(TABLES)]
    constraints = connection.execute(CONSTRAINTS).fetchall()
    for table, name, *_ in constraints:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {sql.Identifier(name).as_string(connection)}")
    for table in tables:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN tenant_id uuid NOT NULL")
    for table, name, _, definition, _ in reversed(constraints):
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {sql.Identifier(name).as_string(connection)} "
                           f"{with_tenant(definition)}")
    connection.commit()
