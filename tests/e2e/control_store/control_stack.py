"""A control store in a database of its own, and nodes that follow it."""
import json
import pathlib
import secrets
import subprocess
import urllib.error
import urllib.request

import psycopg
import yaml
from support.paths import partywall_binary
from support.processes import Process, can_connect, free_port

OWNER, NODE_ROLE, DATABASE = "control_owner", "control_node", "control"


class Store:
    """The control store in `server` (support.postgres.Postgres); its files are in `folder`."""

    def __init__(self, server, folder):
        self.server, self.folder = server, pathlib.Path(folder)
        self.passwords = {OWNER: secrets.token_hex(12), NODE_ROLE: secrets.token_hex(12)}
        for role, password in self.passwords.items():
            server.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
            self.write_secret(f"{role}-password", password)
        server.create_database(DATABASE, OWNER)
        self.write_secret("node-key", secrets.token_hex(32))
        self.owner_file = self.write_platform("store.yaml", OWNER, {})

    def write_secret(self, name, content):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(content)
        return path

    def write_platform(self, name, role, more, **control_store):
        """A platform file that keeps its directory in the store."""
        path = self.folder / name
        path.write_text(yaml.safe_dump({"version": 1, "control_store": {
            "address": self.server.host, "port": self.server.port, "database": DATABASE, "user": role,
            "password_file": f"{role}-password", "node_key_file": "node-key"} | control_store} | more))
        path.chmod(0o600)
        return path

    def command(self, *arguments, check=True, file=None):
        """`partywall store …` as the owner."""
        words = [partywall_binary(), "store", arguments[0], "-f", file or self.owner_file, *arguments[1:]]
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=check, timeout=120)

    Denied = psycopg.errors.InsufficientPrivilege

    def execute(self, statement, parameters=None, role=OWNER):
        """Rows if there are any."""
        with psycopg.connect(host=self.server.host, port=self.server.port, dbname=DATABASE, user=role,
                             password=self.passwords[role], autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else None

    def as_node(self, statement):
        return self.execute(statement, role=NODE_ROLE)

    def set_status(self, slug, status):
        self.execute("UPDATE partywall.tenants SET status = %s WHERE slug = %s", (status, slug))

    def version(self):
        return self.execute("SELECT version FROM partywall.head")[0][0]


class StoreNode:
    """`partywall serve` that follows the store. `doors` are those that it opens."""

    def __init__(self, store, name, doors=("http", "sql", "cache"), directory=None, usage=None):
        self.ports = {door: free_port() for door in (*doors, "admin")}
        self.snapshot = store.folder / f"{name}.snapshot"
        more = {"node": {"workers": 1, "access_log": "none", "drain_timeout": "1s"},
                "listen": {door: {"address": "127.0.0.1", "port": port} for door, port in self.ports.items()},
                "directory": {"snapshot_file": str(self.snapshot)} | (directory or {})} | (
                    {"usage": usage} if usage else {})
        self.file = store.write_platform(f"{name}.yaml", NODE_ROLE, more, node_name=name)
        self.log_path = store.folder / f"{name}.log"
        self._process = None

    def start(self):
        self._process = Process([partywall_binary(), "serve", "-f", self.file], self.log_path)
        self._process.wait_until(lambda: all(map(can_connect, self.ports.values())), "its doors")

    def run_to_its_end(self):
        """For a node that must not start: the finished process."""
        return subprocess.run([str(partywall_binary()), "serve", "-f", str(self.file)], capture_output=True, text=True,
                              timeout=60)

    def stop(self):
        if self._process:
            self._process.stop()
            self._process = None

    def kill(self):
        self._process.process.kill()
        self._process.process.wait()

    def wait_until(self, ready, what, patience=30.0):
        self._process.wait_until(ready, what, patience)

    def get(self, path, door="admin", token=None):
        """(status, text)"""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[door]}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def readiness(self):
        return json.loads(self.get("/readyz")[1])
