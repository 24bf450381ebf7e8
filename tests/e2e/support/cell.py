"""One cell's database, prepared by `partywall schema protect`."""
import base64
import contextlib
import dataclasses
import hashlib
import hmac
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import time

import psycopg
import yaml

from .paths import postgres_program
from .processes import Process, can_connect, free_port
from .register import enter


@dataclasses.dataclass
class SqlDoor:
    """Where a tenant's clients connect to; every login has the same password."""

    host: str
    port: int
    database: str
    password: str

    def connect(self, user, **parameters):
        """psycopg 3, in autocommit mode unless told otherwise."""
        parameters = {"autocommit": True, "connect_timeout": 15} | parameters
        return psycopg.connect(host=self.host, port=self.port, dbname=self.database, user=user,
                               password=self.password, **parameters)

    def psql(self, user, text, *arguments, check=True):
        """psql's unaligned output for the statements in `text`."""
        command = [str(postgres_program("psql")), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.host, "-p", str(self.port),
                   "-U", user, "-d", self.database, *arguments]
        return subprocess.run(command, input=text, text=True, capture_output=True, check=check, timeout=300,
                              env=os.environ | {"PGPASSWORD": self.password}).stdout


def scram_verifier(password, iterations=4096):
    """What PostgreSQL and the platform file keep of a password."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    parts = [base64.b64encode(part).decode() for part in (salt, stored, hmac.digest(salted, b"Server Key", "sha256"))]
    return f"SCRAM-SHA-256${iterations}:{parts[0]}${parts[1]}:{parts[2]}"


class ProtectedDatabase:
    """A database of `postgres` with a platform file of its own; protect it with `protect()`."""

    def __init__(self, postgres, binary, name, slots=4, allow_temp=False):
        self.postgres = postgres
        self.binary = binary
        self.name = name
        self.slot_prefix = f"{name}_slot_"  # roles belong to the whole server
        self.key = secrets.token_bytes(64)
        self.slot_password = secrets.token_urlsafe(24)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="partywall-cell-"))
        self.platform_file = self.folder / "platform.yaml"
        self.write_secret("register-key", self.key.hex())
        self.write_secret("slot-password", self.slot_password)
        self.write_secret("context-key", secrets.token_hex(32))
        self.platform = {
            "version": 1,
            "identity": {"context_keys": [{"id": 1, "file": "context-key"}]},
            "cells": {"main": {"kind": "shared", "sql": {
                "address": postgres.host, "port": postgres.port, "database": name,
                "slot_roles": {"prefix": self.slot_prefix, "count": slots, "password_file": "slot-password"},
                "register_key_file": "register-key", "allow_temp": allow_temp}}},
        }
        self._write_platform()

    def _write_platform(self):
        self.platform_file.write_text(yaml.safe_dump(self.platform))
        self.platform_file.chmod(0o600)

    def write_secret(self, name, content):
        """A file beside the platform file; its path."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(content)
        return path

    def change_key(self, key_id, key):
        """The register key that the platform file names from now on."""
        self.key = key
        self.write_secret("register-key", key.hex())
        self.platform["cells"]["main"]["sql"]["register_key_id"] = key_id
        self._write_platform()

    def protect(self, *arguments, check=True, user=None, password=None, database=None):
        """Runs `partywall schema protect`; returns the finished process."""
        environment = os.environ | {"PGUSER": user or self.postgres.superuser,
                                    "PGPASSWORD": password or self.postgres.password}
        command = [self.binary, "schema", "protect", database or self.name, "-f", self.platform_file, *arguments]
        done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True,
                              timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"schema protect failed with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def steps(self):
        """The statements that a run would carry out now, by a dry run."""
        script = self.protect("--dry-run").stdout
        lines = [line for line in script.splitlines() if not line.startswith("--")]
        return [line for line in lines if line not in ("BEGIN;", "COMMIT;", "SET LOCAL lock_timeout = 10000;")]

    def slot_role(self, number):
        return f"{self.slot_prefix}{number:03}"

    def connect_slot(self, number=1, tenant=None, **parameters):
        """A connection as the slot role, as the door's; with `tenant` the register is written."""
        connection = self._connect_patiently(self.slot_role(number), parameters)
        if tenant:
            enter(connection, self.key, tenant)
        return connection

    def _connect_patiently(self, role, parameters, patience=60.0):
        """CONNECTION LIMIT 1 counts a backend that is still exiting (53300), that of the last attempt too: so the
        attempts become fewer."""
        deadline, pause = time.monotonic() + patience, 0.01
        while True:
            try:
                return self.postgres.connect(self.name, role, self.slot_password, **parameters)
            except psycopg.OperationalError as error:
                if "too many connections for role" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 1.0)

    @contextlib.contextmanager
    def serve(self, tenants):
        """The sql door for this database and bound logins of `tenants` (slug: UUID); gives a SqlDoor."""
        port, admin_port, password = free_port(), free_port(), secrets.token_urlsafe(24)
        self.platform |= {
            "node": {"access_log": "none", "drain_timeout": "2s"},
            "listen": {"sql": {"address": "127.0.0.1", "port": port},
                       "admin": {"address": "127.0.0.1", "port": admin_port}},
            "tenants": [{"slug": slug, "id": str(tenant), "name": slug, "tier": "enterprise", "cell": "main",
                         "sql": {"verifier": scram_verifier(password)}} for slug, tenant in tenants.items()],
        }
        self._write_platform()
        process = Process([self.binary, "serve", "-f", self.platform_file], self.folder / "log")
        try:
            process.wait_until(lambda: can_connect(port) and can_connect(admin_port), "its ports")
            yield SqlDoor("127.0.0.1", port, self.name, password)
        finally:
            status = process.stop()
        assert status == 0, f"partywall serve ended with {status}:\n{process.log()[-4000:]}"

    def execute(self, statement):
        """As the superuser."""
        return self.postgres.execute(statement, self.name)

    def remove(self):
        self.postgres.drop_database(self.name)
        roles = self.postgres.execute("SELECT rolname FROM pg_roles")
        mine = [f'"{role}"' for (role,) in roles if role.startswith(self.slot_prefix)]
        if mine:
            self.postgres.execute("DROP ROLE " + ", ".join(mine))
        shutil.rmtree(self.folder, ignore_errors=True)
