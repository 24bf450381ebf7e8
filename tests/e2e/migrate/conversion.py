"""Databases of one tenant, and what `partywall schema convert` makes of them."""
import json
import os
import re
import subprocess

import psycopg
import yaml
from support.cell import ProtectedDatabase
from support.paths import shared_file
from support.register import TENANT_A, TENANT_B

TENANT_C = type(TENANT_A)("cccccccc-0000-4000-8000-000000000003")
TENANTS = (TENANT_A, TENANT_B, TENANT_C)

# The application's own schemas, with data where the files have some.
FILES = {"chinook": ["chinook.sql"], "northwind": ["northwind.sql"], "pagila": ["pagila.sql", "pagila-data.sql"]}
RULES = {"pagila": {"version": 1, "materialized_views": {"public.rental_by_category": {"becomes": "as_view"}}}}


def load(postgres, name):
    """A new database with one of the open data sets."""
    database = postgres.create_database()
    for file in FILES[name]:
        text = shared_file(f"schemas/{file}").read_text()
        text = re.sub(r"^SET default_with_oids.*$", "", text, flags=re.MULTILINE)  # gone since PostgreSQL 12
        postgres.psql("-v", "VERBOSITY=terse", dbname=database, text="SET client_min_messages = error;" + text)
    return database


class Target(ProtectedDatabase):
    """A shared database that a source is converted into."""

    def convert(self, source, *arguments, rules=None, check=True):
        """Runs `partywall schema convert`; returns the finished process. `source`: a database of the same server, or a URL."""
        if rules is not None:
            text = rules if isinstance(rules, str) else yaml.safe_dump(rules)
            arguments = ("--rules", str(self.write_secret("rules.yaml", text)), *arguments)
        url = source if "://" in source else self.postgres.url(source)
        command = [self.binary, "schema", "convert", url, "--to", self.name,
                   "-f", self.platform_file, *arguments]
        done = subprocess.run([str(part) for part in command], env=self.environment(), capture_output=True,
                              text=True, timeout=300)
        if check and done.returncode != 0:
            raise AssertionError(f"schema convert ended with {done.returncode}:\n{done.stdout[-6000:]}{done.stderr}")
        return done

    def plan(self, source, rules=None):
        return json.loads(self.convert(source, "--dry-run", "--format", "json", rules=rules, check=False).stdout)

    def environment(self):
        return os.environ | {"PGUSER": self.postgres.superuser, "PGPASSWORD": self.postgres.password}

    def lint(self):
        """What `schema lint` finds, without what belongs to the whole server."""
        command = [str(self.binary), "schema", "lint", self.name, "-f", str(self.platform_file), "--format", "json",
                   "--fail-on", "never", "--ignore", "login-bypasses", "--ignore", "owner-login"]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["findings"]


# Ordinary and partitioned tables, without partitions; their columns without generated ones.
TABLES = """
SELECT c.oid::regclass::text, array_agg(quote_ident(a.attname) ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema)'
GROUP BY c.oid ORDER BY 1
"""


def tables_of(connection):
    connection.execute("SET search_path = pg_catalog")
    return dict(connection.execute(TABLES).fetchall())


def copy_tables(reader, writer, tenant, without=()):
    """All rows that the reader sees, for a tenant, of the tables that the target has with a tenant."""
    present = tables_with_tenant(writer)
    for table, columns in tables_of(reader).items():
        if table not in present or table in without:
            continue
        names = ", ".join(columns)
        with reader.cursor() as out, writer.cursor() as into, \
                out.copy(f"COPY (SELECT '{tenant}'::uuid, {names} FROM {table}) TO STDOUT") as rows, \
                into.copy(f"COPY {table} (tenant_id, {names}) FROM STDIN") as sink:
            for block in rows:
                sink.write(block)


def copy_rows(postgres, source, target, tenant, without=()):
    """A simple loader: all rows of the source for a tenant, and the positions of its sequences."""
    with postgres.connect(source) as reader, postgres.connect(target) as writer:
        # Foreign keys may be circular, and the application's triggers have run already.
        writer.execute("SET session_replication_role = replica")
        copy_tables(reader, writer, tenant, without)
        for (sequence,) in reader.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S'").fetchall():
            value, called = reader.execute(f"SELECT last_value, is_called FROM {sequence}").fetchone()
            if writer.execute("SELECT to_regclass(%s)", [sequence]).fetchone()[0]:
                writer.execute("SELECT setval(partywall_sequences.sequence_of(%s::text::regclass, %s), %s, %s)",
                               [sequence, tenant, value, called])


def tables_with_tenant(connection):
    connection.execute("SET search_path = pg_catalog")
    rows = connection.execute("SELECT attrelid::regclass::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
                              "WHERE attname = 'tenant_id' AND relkind IN ('r', 'p')").fetchall()
    return {table for (table,) in rows}


def contents(connection, tables):
    """A digest of each table's rows, in the application's columns."""
    return {table: connection.execute(
        f"SELECT count(*), md5(string_agg(r, E'\\n' ORDER BY r COLLATE \"C\")) "
        f"FROM (SELECT ROW({', '.join(columns)})::text AS r FROM {table}) AS rows").fetchone()
        for table, columns in tables.items()}


def outcome(connection, statement):
    """What a statement does, undone again: (SQLSTATE, constraint, table, column), or the number of rows."""
    try:
        with connection.transaction(force_rollback=True):
            count = connection.execute(statement).rowcount
            connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return count
    except psycopg.Error as error:
        return (error.sqlstate, error.diag.constraint_name, error.diag.table_name, error.diag.column_name)

