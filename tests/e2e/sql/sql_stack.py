"""The sql door alone: a protected database of the private PostgreSQL, a platform file, `partywall serve`."""
import base64
import hashlib
import hmac
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import urllib.request
import uuid

import psycopg
import yaml

from support.processes import Process, can_connect, free_port

TENANTS = {"acme": uuid.UUID("aaaaaaaa-0000-4000-8000-000000000001"),
           "globex": uuid.UUID("bbbbbbbb-0000-4000-8000-000000000002"),
           "initech": uuid.UUID("cccccccc-0000-4000-8000-000000000003")}
PASSWORD = "only-for-tests"
SCHEMA = """
CREATE TABLE notes (id bigserial, tenant_id uuid NOT NULL, body text NOT NULL, PRIMARY KEY (tenant_id, id));
CREATE TABLE countries (code text PRIMARY KEY);
INSERT INTO countries VALUES ('DE'), ('FR');
"""


def scram_verifier(password, iterations=4096):
    """As PostgreSQL keeps it (RFC 5803's contents in PostgreSQL's notation)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{text[0]}${text[1]}:{text[2]}"


class SqlStack:
    """Logins: a bound one per tenant, `app` (application), `trusted` (asserting), `migration`; one password."""

    def __init__(self, postgres, binary, *, slots=6, workers=1, allow_temp=False, change=None, listen_unix=False,
                 schema=SCHEMA):
        self.postgres, self.binary, self.schema = postgres, binary, schema
        self.database = postgres.create_database()
        self.owner = f"{self.database}_owner"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="partywall-sql-"))
        self.port = free_port()
        self.admin_port = free_port()
        self.slot_prefix = f"{self.database}_slot_"
        self._process = None
        self._files = {"register-key": secrets.token_hex(64), "slot-password": secrets.token_urlsafe(24),
                       "owner-password": secrets.token_urlsafe(24), "context-key": secrets.token_hex(32)}
        for name, text in self._files.items():
            path = self.folder / name
            path.touch(mode=0o600)
            path.write_text(text)
        address = str(self.folder / "door.sock") if listen_unix else "127.0.0.1"
        self.host = str(self.folder) if listen_unix else "127.0.0.1"
        listen = {"address": address} if listen_unix else {"address": address, "port": self.port}
        self.platform = {
            "version": 1,
            "node": {"workers": workers, "access_log": "none", "drain_timeout": "2s", "log_level": "debug"},
            "listen": {"sql": listen, "admin": {"address": "127.0.0.1", "port": self.admin_port}},
            "identity": {"context_keys": [{"id": 1, "file": "context-key"}]},
            "cells": {"main": {"sql": {
                "address": postgres.host, "port": postgres.port, "database": self.database,
                "slot_roles": {"prefix": self.slot_prefix, "count": slots, "password_file": "slot-password"},
                "register_key_file": "register-key", "allow_temp": allow_temp,
                "owner": {"role": self.owner, "password_file": "owner-password"}}}},
            # What a file's tests use of an hour's database time is not what they are about.
            "tiers": {tier: {"max_cpu_seconds": 1_000_000} for tier in ("free", "pro")},
            "tenants": [{"slug": slug, "id": str(tenant), "name": slug, "cell": "main",
                         "tier": "free" if slug == "acme" else "pro",
                         "sql": {"verifier": scram_verifier(PASSWORD)}} for slug, tenant in TENANTS.items()],
            "logins": {"sql": [
                {"user": "app", "class": "application", "cell": "main", "verifier": scram_verifier(PASSWORD)},
                {"user": "trusted", "class": "asserting", "cell": "main", "verifier": scram_verifier(PASSWORD),
                 "addresses": ["127.0.0.1/32"]},
                {"user": "migration", "class": "migration", "cell": "main", "verifier": scram_verifier(PASSWORD)}]},
        }
        if change:
            change(self.platform)
        self.platform_file = self.folder / "platform.yaml"
        self.write_platform()
        self._make_database()

    def write_platform(self):
        self.platform_file.write_text(yaml.safe_dump(self.platform))
        self.platform_file.chmod(0o600)

    def _make_database(self):
        self.postgres.execute(f"CREATE ROLE {self.owner} LOGIN PASSWORD '{self._files['owner-password']}'")
        self.postgres.execute(f"ALTER DATABASE {self.database} OWNER TO {self.owner}")
        with self.postgres.connect(self.database) as connection:
            connection.execute(f"SET ROLE {self.owner}")
            connection.execute(self.schema)
        self.protect()

    def protect(self):
        environment = os.environ | {"PGUSER": self.postgres.superuser, "PGPASSWORD": self.postgres.password}
        done = subprocess.run([self.binary, "schema", "protect", self.database, "-f", self.platform_file], env=environment,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        self._process = Process([self.binary, "serve", "-f", self.platform_file], self.folder / "log")
        self._process.wait_until(lambda: can_connect(self.admin_port), "the admin port")
        return self

    def stop(self):
        if self._process:
            status = self._process.stop()
            self._process = None
            assert status == 0, f"partywall serve ended with {status}:\n{self.log()[-4000:]}"

    def reload(self):
        self._process.process.send_signal(signal.SIGHUP)

    def remove(self):
        try:
            self.stop()
        finally:
            self.postgres.drop_database(self.database)
            for (role,) in self.postgres.execute("SELECT rolname FROM pg_roles"):
                if role.startswith(self.slot_prefix) or role == self.owner:
                    self.postgres.execute(f'DROP ROLE "{role}"')
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def dsn(self, user, password=PASSWORD):
        return f"host={self.host} port={self.port} dbname={self.database} user={user} password={password}"

    def connect(self, user="acme", password=PASSWORD, autocommit=True, **parameters):
        return psycopg.connect(self.dsn(user, password), autocommit=autocommit, connect_timeout=15, **parameters)

    def psql(self, *arguments, user="acme", text=None, check=True):
        command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.dsn(user), *arguments]
        return subprocess.run(command, input=text, text=True, capture_output=True, check=check, timeout=60)

    def context(self, tenant, audience="sql", ttl="10m"):
        done = subprocess.run([self.binary, "token", "create", "-f", self.platform_file, "--tenant", tenant, "--audience",
                               audience, "--ttl", ttl], text=True, capture_output=True, check=True, timeout=30)
        return done.stdout.strip()

    def superuser(self):
        return self.postgres.connect(self.database)

    def metric(self, name, **labels):
        """The sum of the samples that have these labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        samples = [line for line in lines if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in samples if all(text in line for text in wanted))
