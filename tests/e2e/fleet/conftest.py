"""A node that keeps a pool of an application that waits (waiting_app.py)."""
import json
import os
import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

import pytest
import yaml

from support.processes import Process, free_port
from support.waiting import wait_until
from support.up import stack_folder

APPLICATION = pathlib.Path(__file__).with_name("waiting_app.py")


class FleetNode:
    """`partywall serve` with a pool `web` of the fleet. Changes to the pool's section are keyword arguments."""

    def __init__(self, binary, folder, http=None, environment=(), **pool):
        self.binary = binary
        self.folder = folder
        self.http_port, self.admin_port = free_port(), free_port()
        self.hang_file = folder / "hang"
        (folder / "context.key").write_text("0" * 64)
        (folder / "context.key").chmod(0o600)
        section = {
            "cell": "main", "pool": "web", "version": "v1",
            "command": ["/usr/bin/python3", str(APPLICATION), "{port}"],
            "environment": [f"HANG={self.hang_file}", "PYTHONDONTWRITEBYTECODE=1", *environment],
            "drain_timeout": "10s", "decision_interval": "1s", "boot_timeout": "60s",
            "scaling": {"min": 2, "max": 8, "offered_load": {"window": "5s"}, "down": {"stabilisation": "10s"}},
        }
        section.update(pool)
        self.platform = {
            "version": 1,
            "node": {"workers": 2, "access_log": "none", "drain_timeout": "2s"},
            "listen": {"http": {"address": "127.0.0.1", "port": self.http_port},
                       "admin": {"address": "127.0.0.1", "port": self.admin_port}},
            "doors": {"http": {"slow_start": "1s", **(http or {})}},
            "identity": {"context_keys": [{"id": 1, "file": "context.key"}]},
            "cells": {"main": {"kind": "shared", "pools": {"web": {
                "health": {"path": "/healthz", "interval": "300ms", "timeout": "5s", "rise": 2, "fall": 2}}}}},
            "routes": [{"path": "/", "pool": "web", "authenticated": False}],
            "fleet": {"directory": "fleet", "pools": [section]},
        }
        self.file = folder / "platform.yaml"
        self.file.write_text(yaml.safe_dump(self.platform, sort_keys=False))
        self.process = None

    def start(self):
        self.process = Process([self.binary, "serve", "-f", self.file], self.folder / "log")
        self.process.wait_until(lambda: self.reaches("/healthz"), "admin port")

    def reaches(self, path):
        try:
            self.get(path)
            return True
        except OSError:
            return False

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=20) as response:
            return response.read()

    def post(self, path, token=None, body=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin_port}{path}", method="POST", headers=headers,
                                         data=json.dumps(body).encode() if body is not None else None)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code

    def pool(self):
        return json.loads(self.get("/fleet"))["pools"][0]

    def instances(self):
        return self.pool()["instances"]

    def serving(self):
        return [each for each in self.instances() if each["health"] == "healthy" and not each["draining"]]

    def wait_for_ready(self, count, patience=120):
        return wait_until(lambda: len(self.serving()) == count and len(self.instances()) == count, f"{count} instances", patience)

    def events(self):
        return json.loads(self.get("/fleet/main/web/events"))["events"]

    def cli(self, *arguments, status=0):
        result = subprocess.run([self.binary, "fleet", *arguments, "-f", self.file], capture_output=True, text=True, timeout=60)
        assert result.returncode == status, result.stderr
        return result.stdout if status == 0 else result.stderr

    def hang(self, process_id):
        pathlib.Path(f"{self.hang_file}.{process_id}").touch()

    def stop(self):
        """The node, which leaves its instances, and then these."""
        instances = self.instances() if self.process.process.poll() is None else []
        status = self.process.stop()
        for instance in instances:
            if instance["process_id"]:
                os.kill(instance["process_id"], signal.SIGKILL)
        return status


@pytest.fixture
def fleet_node(binary):
    """A function that starts a FleetNode; its instances end with the test."""
    nodes = []

    with stack_folder() as folder:
        def start(**arguments):
            home = folder / f"node-{len(nodes)}"
            home.mkdir()
            node = FleetNode(binary, home, **arguments)
            nodes.append(node)
            node.start()
            return node

        yield start
        for node in nodes:
            node.stop()
