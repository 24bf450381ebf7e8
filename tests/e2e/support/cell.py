"""One cell's database, prepared by `partywall schema protect`."""
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import time

import psycopg

from .register import enter


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
        self._secret("register-key", self.key.hex())
        self._secret("slot-password", self.slot_password)
        self._secret("context-key", secrets.token_hex(32))
        self.platform_file.write_text(
            f"""version: 1
identity:
  context_keys:
  - id: 1
    file: context-key
cells:
  main:
    kind: shared
    sql:
      address: {postgres.host}
      port: {postgres.port}
      database: {name}
      slot_roles:
        prefix: {self.slot_prefix}
        count: {slots}
        password_file: slot-password
      register_key_file: register-key
      allow_temp: {str(allow_temp).lower()}
""")

    def _secret(self, name, content):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(content)

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

    def _connect_patiently(self, role, parameters, patience=5.0):
        """CONNECTION LIMIT 1 counts a backend that is still exiting (53300)."""
        deadline = time.monotonic() + patience
        while True:
            try:
                return self.postgres.connect(self.name, role, self.slot_password, **parameters)
            except psycopg.OperationalError as error:
                if "too many connections for role" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def execute(self, statement):
        """As the superuser."""
        return self.postgres.execute(statement, self.name)

    def remove(self):
        self.postgres.drop_database(self.name)
        roles = self.postgres.execute("SELECT rolname FROM pg_roles")
        for (role,) in roles:
            if role.startswith(self.slot_prefix):
                self.postgres.execute(f'DROP ROLE "{role}"')
        shutil.rmtree(self.folder, ignore_errors=True)
