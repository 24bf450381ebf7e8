"""Drivers of many languages do the same things through the door and on plain PostgreSQL, and see the same.

Each is a program in its own language below clients/, and prints what it saw as JSON: {"step": …, "saw": …} on a line
each. It does so with the logins of two tenants ("bound"), and with one of an application that sets the tenant of each
transaction ("application"). Plain PostgreSQL has the same tables with policies on roles and on a setting."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from support.javascript import javascript_clients

from sql_stack import PASSWORD, SCHEMA, TENANTS, SqlStack

CLIENTS = pathlib.Path(__file__).parent / "clients"
LOGINS = ("acme", "globex", "app")
TEXT = "žluť 'x' \"y\" \\ 😀"

TABLES = SCHEMA + """
CREATE TABLE samples (id int NOT NULL, tenant_id uuid NOT NULL, i int, t text, n numeric, at timestamptz, raw bytea, u uuid, doc jsonb,
                      tags text[], numbers int[], yes boolean, PRIMARY KEY (tenant_id, id));
CREATE TABLE imports (id int NOT NULL, tenant_id uuid NOT NULL, body text, PRIMARY KEY (tenant_id, id));
"""

# PostgreSQL refuses COPY FROM where row-level security applies; the door has to make it work, so that table has none here.
PLAIN = TABLES + f"""
CREATE FUNCTION tenant() RETURNS uuid STABLE LANGUAGE plpgsql AS $$
BEGIN
  IF session_user = 'acme' THEN RETURN '{TENANTS["acme"]}'; END IF;
  IF session_user = 'globex' THEN RETURN '{TENANTS["globex"]}'; END IF;
  IF coalesce(current_setting('app.current_tenant', true), '') = '' THEN RAISE 'no tenant' USING ERRCODE = '28000'; END IF;
  RETURN current_setting('app.current_tenant');
END $$;
ALTER TABLE notes ALTER tenant_id SET DEFAULT tenant(), ENABLE ROW LEVEL SECURITY;
ALTER TABLE samples ALTER tenant_id SET DEFAULT tenant(), ENABLE ROW LEVEL SECURITY;
ALTER TABLE imports ALTER tenant_id SET DEFAULT tenant();
CREATE POLICY own ON notes USING (tenant_id = tenant());
CREATE POLICY own ON samples USING (tenant_id = tenant());
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO PUBLIC;
"""

# What a program has to have seen, whatever its language; the rest is compared with plain PostgreSQL only.
EVERYWHERE = {
    "simple": [1, "ä", ["of acme"]],
    "parameters": [41, TEXT],
    "prepared": [[number + 1, "of acme"] for number in range(20)],
    "stored": ["1|-2147483648|" + TEXT + "|12345678901234567890.0123456789|1772323199.123000|0001275cff|0f0e0d0c-0b0a-4908-8706-050403020100|"
               '{"a": [1, null, "\\""]}|{a,"b,c","\\"",ä,NULL}|{1,-2,3}|t', "2"],
    "rollback": [1, 2],
    "error": ["23505", "25P02", ["of acme"]],
    "savepoint": ["22012", "of acme"],
    "large": {"rows": 100000, "sum": 5000050000},
    "neighbour": [[], 0, "42501"],
    "pool": {"acme": ["of acme"], "globex": ["of globex"]},
}
SOME = {
    "stream": {"rows": 100000, "sum": 5000050000},
    "cancelled": ["57014", ["of acme"]],
    "timed out": ["57014", ["of acme"]],
    "copied": {"in": 1000, "out": 1000, "sum": 500500},
    "copy refused": "23505",
    "pipelined": [[n for n in range(50)], "22012", ["of acme"]],
}
OF_AN_APPLICATION = {"switched": ["of acme", "of globex"] * 3, "nobody": "28000"}


class Plain:
    """A database without a door: what a program sees there is right."""

    def __init__(self, postgres):
        self.postgres, self.host, self.port = postgres, postgres.host, postgres.port

    def __enter__(self):
        self.database = self.postgres.create_database()
        for login in LOGINS:
            self.postgres.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}'")
        self.postgres.execute(PLAIN, self.database)
        return self

    def __exit__(self, *_):
        self.postgres.drop_database(self.database)
        for login in LOGINS:
            self.postgres.execute(f"DROP ROLE {login}")

    def superuser(self):
        return self.postgres.connect(self.database)

    def context(self, tenant):
        return str(TENANTS[tenant])


@pytest.fixture(scope="module")
def door(postgres, binary):
    with SqlStack(postgres, binary, schema=TABLES) as started:
        yield started


@pytest.fixture(scope="module")
def plain(postgres):
    with Plain(postgres) as started:
        yield started


def refill(server):
    with server.superuser() as connection:
        connection.execute("TRUNCATE notes, samples, imports")
        for tenant in ("acme", "globex"):
            connection.execute("INSERT INTO notes (tenant_id, body) VALUES (%s, %s)", [TENANTS[tenant], f"of {tenant}"])


def saw(server, command, mode, environment):
    """What the program saw: a dictionary by step."""
    refill(server)
    if not hasattr(server, "contexts"):
        server.contexts = {tenant.upper(): server.context(tenant) for tenant in ("acme", "globex")}
    address = {"PGHOST": server.host, "PGPORT": str(server.port), "PGDATABASE": server.database, "PGPASSWORD": PASSWORD, "TZ": "UTC",
               "LC_ALL": "C.UTF-8"}
    done = subprocess.run([*command, mode], env=os.environ | address | server.contexts | environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    with server.superuser() as connection:
        notes = connection.execute("SELECT tenant_id, body FROM notes ORDER BY body").fetchall()
    assert notes == [(TENANTS[tenant], f"of {tenant}") for tenant in ("acme", "globex")]
    return {line["step"]: line["saw"] for line in map(json.loads, done.stdout.splitlines())}


def compare(door, plain, command, mode, steps=(), environment=None):
    """The program sees through the door what it sees without, and that is what it has to."""
    environment = environment or {}
    expected = EVERYWHERE | {step: SOME[step] for step in steps} | (OF_AN_APPLICATION if mode == "application" else {})
    without, through = (saw(server, command, mode, environment) for server in (plain, door))
    # Its statements were executed on more than one server connection: it is pooled by transaction.
    assert without.pop("backends") == 1 and through.pop("backends") > 1
    assert through == without
    assert {step: through.get(step) for step in expected} == expected
    assert set(through) == set(expected) | {"types"}


@pytest.fixture(params=["bound", "application"])
def mode(request):
    return request.param


@pytest.fixture(scope="session")
def node_modules():
    return javascript_clients("tests/e2e/sql/clients/javascript")


def test_node_postgres(door, plain, mode, node_modules):
    compare(door, plain, ["node", CLIENTS / "javascript" / "pg.js"], mode, ["stream", "cancelled"], {"NODE_PATH": node_modules})


def test_postgres_js(door, plain, mode, node_modules):
    compare(door, plain, ["node", CLIENTS / "javascript" / "postgres.js"], mode, ["stream", "cancelled", "copied", "pipelined"],
            {"NODE_PATH": node_modules})


def installed(package, *paths):
    """Skips unless the package's files are there."""
    for path in paths:
        if not pathlib.Path(path).exists():
            pytest.skip(f"NOT TESTED: {package} is not installed: {path} does not exist")


@pytest.fixture(scope="session")
def jdbc(tmp_path_factory):
    """The command that runs the compiled program."""
    jar = "/usr/share/java/postgresql.jar"
    installed("libpostgresql-jdbc-java", jar)
    if not (shutil.which("javac") and shutil.which("java")):
        pytest.skip("NOT TESTED: openjdk-17-jdk-headless is not installed")
    folder = tmp_path_factory.mktemp("java")
    subprocess.run(["javac", "-encoding", "UTF-8", "-d", folder, "-cp", jar, CLIENTS / "java" / "Matrix.java"], check=True, timeout=120)
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{folder}:{jar}", "Matrix"]


def test_jdbc(door, plain, mode, jdbc):
    # Without it the driver sends SET when it connects.
    compare(door, plain, jdbc, mode, ["stream", "cancelled", "timed out", "copied", "copy refused", "pipelined"], {"ASSUME_VERSION": "15"})


@pytest.fixture(scope="session")
def libpqxx(tmp_path_factory):
    installed("libpqxx-dev", "/usr/include/pqxx/pqxx")
    compiler = shutil.which("c++") or shutil.which("clang++-19")
    if not compiler:
        pytest.skip("NOT TESTED: no C++ compiler is installed")
    program = tmp_path_factory.mktemp("cpp") / "matrix"
    subprocess.run([compiler, "-std=c++17", CLIENTS / "cpp" / "matrix.cpp", "-o", program, "-w", "-I/usr/include/postgresql", "-lpqxx", "-lpq",
                    "-pthread"], check=True, timeout=300)
    return [program]


def test_libpqxx(door, plain, mode, libpqxx):
    compare(door, plain, libpqxx, mode, ["stream", "cancelled", "copied", "copy refused", "pipelined"])


def succeeds(*command):
    return shutil.which(command[0]) and subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def test_ruby_pg(door, plain, mode):
    if not succeeds("ruby", "-e", "require 'pg'"):
        pytest.skip("NOT TESTED: ruby-pg is not installed")
    compare(door, plain, ["ruby", CLIENTS / "ruby" / "matrix.rb"], mode, ["stream", "cancelled", "copied", "copy refused", "pipelined"])


def test_php(door, plain, mode):
    if not succeeds("php", "-r", "exit(extension_loaded('pgsql') && extension_loaded('pdo_pgsql') ? 0 : 1);"):
        pytest.skip("NOT TESTED: php-cli or php-pgsql is not installed")
    compare(door, plain, ["php", CLIENTS / "php" / "matrix.php"], mode, ["stream", "cancelled", "copied", "copy refused"])


@pytest.mark.parametrize("program, package, steps", [
    ("psycopg_sync", "psycopg_pool", ["stream", "cancelled", "copied", "copy refused", "pipelined"]),
    ("psycopg_async", "psycopg_pool", ["stream", "cancelled", "copied", "copy refused", "pipelined"]),
    ("asyncpg_pool", "asyncpg", ["stream", "timed out", "copied", "copy refused"]),
    ("sqlalchemy_psycopg2", "sqlalchemy", ["stream", "cancelled"]),
    ("django_orm", "django", ["stream", "cancelled"])])
def test_python(door, plain, mode, program, package, steps):
    pytest.importorskip(package, reason=f"NOT TESTED: the Python package {package} is not installed")
    compare(door, plain, [sys.executable, CLIENTS / "python" / f"{program}.py"], mode, steps)
