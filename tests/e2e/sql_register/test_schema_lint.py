"""The command `partywall schema lint`: every flaw that is planted is found, and what it advises mends it."""
import copy
import json
import os
import subprocess

import psycopg
import pytest
from support.cell import ProtectedDatabase
from support.register import TENANT_A, TENANT_B

SOUND = """
CREATE TABLE customer (tenant_id uuid NOT NULL, id uuid DEFAULT gen_random_uuid(), email text,
  PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, email));
CREATE TABLE purchase (tenant_id uuid NOT NULL, id uuid DEFAULT gen_random_uuid(), customer uuid, price int,
  PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, customer) REFERENCES customer (tenant_id, id));
CREATE VIEW purchases WITH (security_invoker = true) AS SELECT * FROM purchase;
GRANT SELECT ON purchases TO PUBLIC;
CREATE TABLE country (code text PRIMARY KEY);
GRANT SELECT ON country TO PUBLIC;
"""

# What is done to the protected database, and the rule, level and object that must be reported.
FLAWS = {
    "no tenant column": ("CREATE TABLE note (id int); GRANT ALL ON note TO PUBLIC",
                         "tenant-column-missing", "error", "table public.note"),
    "column not a uuid": ("CREATE TABLE note (tenant_id text); GRANT SELECT ON note TO PUBLIC",
                          "tenant-column-not-uuid", "error", "table public.note"),
    "column may be null": ("ALTER TABLE purchase DROP CONSTRAINT purchase_pkey; "
                           "ALTER TABLE purchase ALTER tenant_id DROP NOT NULL",
                           "tenant-column-nullable", "info", "table public.purchase"),
    "row security off": ("ALTER TABLE purchase DISABLE ROW LEVEL SECURITY", "row-security-off", "error",
                         "table public.purchase"),
    "row security not forced": ("ALTER TABLE purchase NO FORCE ROW LEVEL SECURITY", "row-security-not-forced", "error",
                                "table public.purchase"),
    "no tenant policy": ("DROP POLICY partywall_tenant ON purchase", "no-tenant-policy", "error", "table public.purchase"),
    "policy on a setting": ("CREATE POLICY old ON purchase USING (tenant_id = (SELECT current_setting('app.tenant')::uuid))",
                            "policy-reads-setting", "error", "policy old on table public.purchase"),
    "policy for each row": ("CREATE POLICY slow ON purchase USING (tenant_id = partywall.tenant_id())",
                            "policy-not-subselect", "warning", "policy slow on table public.purchase"),
    "no index": ("ALTER TABLE purchase DROP CONSTRAINT purchase_pkey", "index-not-led-by-tenant", "warning",
                 "table public.purchase"),
    "partition open": ("CREATE TABLE event (tenant_id uuid NOT NULL, at int) PARTITION BY RANGE (at); "
                       "CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (1) TO (2); GRANT SELECT ON event_1 TO PUBLIC",
                       "partition-open", "error", "table public.event_1"),
    "truncate": ("GRANT TRUNCATE ON purchase TO PUBLIC", "grant-beyond-row-security", "error", "table public.purchase"),
    "rewrite rule": ("CREATE RULE copy AS ON INSERT TO purchase DO ALSO SELECT 1", "rewrite-rule", "warning",
                     "table public.purchase"),
    "unique": ("ALTER TABLE customer ADD CONSTRAINT mail UNIQUE (email)", "unique-without-tenant", "error",
               "table public.customer"),
    "unique index on an expression": ("CREATE UNIQUE INDEX ON customer (lower(email))", "unique-without-tenant", "error",
                                      "table public.customer"),
    "generated key": ("ALTER TABLE purchase ADD number bigint GENERATED ALWAYS AS IDENTITY UNIQUE",
                      "unique-without-tenant", "info", "table public.purchase"),
    "foreign key": ("ALTER TABLE customer ADD UNIQUE (id); "
                    "ALTER TABLE purchase ADD FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE CASCADE",
                    "foreign-key-without-tenant", "error", "table public.purchase"),
    "foreign key with the columns crossed": (
        "ALTER TABLE customer ADD UNIQUE (id, tenant_id); "
        "ALTER TABLE purchase ADD FOREIGN KEY (tenant_id, customer) REFERENCES customer (id, tenant_id)",
        "foreign-key-without-tenant", "error", "table public.purchase"),
    "view": ("ALTER VIEW purchases RESET (security_invoker)", "view-owner-rights", "error", "view public.purchases"),
    "view of a view": ("CREATE VIEW report AS SELECT count(*) FROM purchases", "view-owner-rights", "warning",
                       "view public.report"),
    "materialized view": ("CREATE MATERIALIZED VIEW total AS SELECT sum(price) FROM purchase; GRANT SELECT ON total TO PUBLIC",
                          "materialized-view", "error", "materialized view public.total"),
    "definer": ("CREATE FUNCTION total() RETURNS bigint SECURITY DEFINER SET search_path = pg_catalog, public "
                "LANGUAGE sql AS 'SELECT sum(price) FROM purchase'",
                "definer-function-bypasses", "error", "function public.total()"),
    "definer's search path": ("CREATE FUNCTION total() RETURNS bigint SECURITY DEFINER LANGUAGE sql "
                              "AS 'SELECT sum(price) FROM purchase'",
                              "definer-function-search-path", "error", "function public.total()"),
    "dblink": ("CREATE EXTENSION dblink", "outward-function", "warning", "function public.dblink(text)"),
    "sequence writable": ("CREATE SEQUENCE number; GRANT UPDATE ON SEQUENCE number TO PUBLIC", "sequence-writable", "error",
                          "sequence public.number"),
    "sequence readable": ("CREATE SEQUENCE number; GRANT SELECT ON SEQUENCE number TO PUBLIC", "sequence-readable",
                          "warning", "sequence public.number"),
    "sequence shared": ("CREATE SEQUENCE number; GRANT USAGE ON SEQUENCE number TO PUBLIC", "sequence-shared", "info",
                        "sequence public.number"),
    "publication of a table": ("CREATE PUBLICATION feed FOR TABLE purchase", "publication", "warning", "publication feed"),
    "publication of all": ("CREATE PUBLICATION feed FOR ALL TABLES", "publication", "warning", "publication feed"),
    "create on schema": ("GRANT CREATE ON SCHEMA public TO PUBLIC", "schema-create", "error", "schema public"),
    "connect": ("GRANT CONNECT ON DATABASE {database} TO PUBLIC", "database-open", "warning", "database {database}"),
    "temporary tables": ("GRANT TEMPORARY ON DATABASE {database} TO PUBLIC", "database-open", "warning",
                         "database {database}"),
    "create on database": ("GRANT CREATE ON DATABASE {database} TO PUBLIC", "schema-create", "error", "database {database}"),
}


def lint(cell, *arguments, user=None, password=None):
    environment = os.environ | {"PGUSER": user or cell.postgres.superuser, "PGPASSWORD": password or cell.postgres.password}
    command = [str(cell.binary), "schema", "lint", cell.name, "-f", str(cell.platform_file), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


# Roles belong to the whole server, which other tests share.
WITHOUT_ROLES = ["--ignore", "login-bypasses", "--ignore", "owner-login"]


def findings(cell, *arguments):
    done = lint(cell, "--format", "json", "--fail-on", "never", *WITHOUT_ROLES, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["findings"]


@pytest.fixture(scope="module")
def protected(postgres, binary):
    cell = ProtectedDatabase(postgres, binary, postgres.create_database(), slots=2)
    cell.execute(SOUND)
    cell.protect()
    yield cell
    cell.remove()


@pytest.fixture
def sound(protected):
    """A copy of the protected database, with what PostgreSQL does not copy: the rights on the database itself."""
    cell = copy.copy(protected)
    cell.name = protected.postgres.create_database(template=protected.name)
    cell.execute(f"REVOKE ALL ON DATABASE {cell.name} FROM PUBLIC;"
                 f"GRANT CONNECT ON DATABASE {cell.name} TO {cell.slot_role(1)}, {cell.slot_role(2)}")
    yield cell
    protected.postgres.drop_database(cell.name)


def test_a_protected_schema_has_only_its_shared_table_reported(sound):
    assert [(one["rule"], one["level"], one["object"]) for one in findings(sound)] == [
        ("tenant-column-missing", "info", "table public.country")]
    assert findings(sound, "--ignore", "tenant-column-missing:table public.country") == []
    assert lint(sound).returncode == 0


@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_is_found(sound, flaw):
    statements, rule, level, name = FLAWS[flaw]
    sound.execute(statements.format(database=sound.name))
    done = lint(sound, "--format", "json", "--fail-on", level, *WITHOUT_ROLES)
    found = [(one["rule"], one["level"], one["object"]) for one in json.loads(done.stdout)["findings"]]
    assert (rule, level, name.format(database=sound.name)) in found
    assert done.returncode == 1
    accepted = [word for other in {other for other, _, _ in found} for word in ("--ignore", other)]
    assert lint(sound, "--fail-on", "info", *WITHOUT_ROLES, *accepted).returncode == 0


MENDED_BY_THEIR_REMEDY = ["row security not forced", "truncate", "unique", "view", "sequence writable", "connect",
                          "sequence readable", "create on schema", "create on database", "temporary tables",
                          "definer's search path"]


@pytest.mark.parametrize("flaw", MENDED_BY_THEIR_REMEDY)
def test_the_sql_that_is_advised_mends_it(sound, flaw):
    statements, rule, _, name = FLAWS[flaw]
    sound.execute(statements.format(database=sound.name))
    [finding] = [one for one in findings(sound)
                 if one["rule"] == rule and one["object"] == name.format(database=sound.name)]
    sound.execute(finding["remedy"])
    assert finding["rule"] not in [one["rule"] for one in findings(sound) if one["object"] == finding["object"]]


def test_what_schema_protect_makes_is_what_lint_wants(cell):
    cell.execute("CREATE TABLE note (tenant_id uuid NOT NULL, id int, PRIMARY KEY (tenant_id, id))")
    errors = {one["rule"] for one in findings(cell) if one["level"] == "error"}
    assert {"row-security-not-forced"} <= errors
    cell.protect()
    assert findings(cell) == []


def test_a_foreign_key_that_is_reported_does_leak(sound):
    """The claim of the rule, tried: a tenant points at another's row, and keeps it from being deleted."""
    sound.execute("ALTER TABLE customer ADD UNIQUE (id); ALTER TABLE purchase DROP CONSTRAINT purchase_tenant_id_customer_fkey;"
                  "ALTER TABLE purchase ADD FOREIGN KEY (customer) REFERENCES customer (id)")
    with sound.connect_slot(1, TENANT_A) as victim, sound.connect_slot(2, TENANT_B) as attacker:
        [(row,)] = victim.execute("INSERT INTO customer (email) VALUES ('a@example.com') RETURNING id").fetchall()
        attacker.execute("INSERT INTO purchase (customer) VALUES (%s)", [row])
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            victim.execute("DELETE FROM customer WHERE id = %s", [row])
    assert "foreign-key-without-tenant" in [one["rule"] for one in findings(sound)]


def test_an_ordinary_login_may_look(sound):
    sound.postgres.execute(f"CREATE ROLE {sound.name}_auditor LOGIN PASSWORD 'auditor'")
    try:
        sound.execute(f"GRANT CONNECT ON DATABASE {sound.name} TO {sound.name}_auditor")
        done = lint(sound, user=f"{sound.name}_auditor", password="auditor")
        assert done.returncode == 0, done.stderr
        assert "0 errors" in done.stdout
    finally:
        sound.execute(f"REVOKE CONNECT ON DATABASE {sound.name} FROM {sound.name}_auditor")
        sound.postgres.execute(f"DROP ROLE {sound.name}_auditor")


def test_what_cannot_be_looked_at_is_not_called_clean(cell):
    wrong = lint(cell, user="nobody_of_that_name", password="x")
    assert wrong.returncode == 6 and "partywall schema lint: " in wrong.stderr
    unknown = lint(cell, "--ignore", "view-owner-right")
    assert unknown.returncode == 2 and "did you mean 'view-owner-rights'?" in unknown.stderr


def test_hostile_names_stay_names(sound):
    sound.execute('CREATE TABLE "x"";DROP TABLE country;--\n" (tenant_id uuid, id int UNIQUE)')
    [finding] = [one for one in findings(sound) if one["rule"] == "row-security-not-forced"]
    sound.execute(finding["remedy"])
    assert sound.execute("SELECT to_regclass('country')::text") == [("country",)]
    assert "row-security-not-forced" not in [one["rule"] for one in findings(sound)]
