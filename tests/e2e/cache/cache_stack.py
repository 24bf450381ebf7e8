"""A private Redis, provisioned for a few tenants, with the cache door in front of it."""
import hashlib
import hmac
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

import redis
import yaml

from support.paths import partywall_binary
from support.processes import Process, can_connect, free_port
from support.redis_server import RedisServer

ADMINISTRATOR = "administrator"
DOOR_USER = "door"
TENANTS = {"acme": 1, "globex": 2, "slow": 3}  # and their databases


def tenant_id(slug):
    return f"00000000-0000-4000-8000-{TENANTS[slug]:012d}"


class CacheStack:
    """`mode`: whether each tenant has a database of its own, or a prefix before its keys. `server`: something that is
    started, stopped and removed, instead of a single Redis; `place(server)`: what the cell's `cache` says about where it
    is. `databases`: so many for each tenant."""

    def __init__(self, *redis_arguments, mode="database", server=None, place=None, databases=1, keyspace_events=False):
        self.mode, self.databases, self.keyspace_events = mode, databases, keyspace_events
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="partywall-cache-"))
        self.redis = server or RedisServer(*redis_arguments)
        self._place = place(self.redis) if place else {"address": "127.0.0.1", "port": self.redis.port}
        self.port, self.admin_port = free_port(), free_port()
        self.secrets = {slug: secrets.token_urlsafe(24) for slug in TENANTS}
        self.passwords = {name: secrets.token_hex(32) for name in ("context", "door", "tenants", "administrator")}
        self.platform = self._platform()
        self.process = None

    def start(self):
        for name, value in self.passwords.items():
            path = self.folder / name
            path.write_text(value)
            path.chmod(0o600)
        self.redis.start()
        self._write()
        self.provision()
        self.process = Process([partywall_binary(), "serve", "-f", self._file], self.folder / "log")
        self.process.wait_until(lambda: can_connect(self.port) and can_connect(self.admin_port), "the cache door")
        return self

    def stop(self):
        status = self.process.stop() if self.process else None
        self.redis.stop()
        self.redis.remove()
        shutil.rmtree(self.folder, ignore_errors=True)
        return status

    def provision(self):
        subprocess.run([partywall_binary(), "cache", "provision", "-f", self._file, "--administrator", ADMINISTRATOR,
                        "--password-file", self.folder / "administrator"], check=True, capture_output=True, timeout=60)

    def change_tenant(self, slug, **values):
        """Alters the platform file and has the door read it again; returns when it counts."""
        for tenant in self.platform["tenants"]:
            if tenant["slug"] == slug:
                tenant |= values
        self._write()
        self.process.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)

    # --- clients
    def client(self, slug, **arguments):
        return redis.Redis(port=self.port, username=slug, password=self.secrets[slug], socket_timeout=20,
                           **({"decode_responses": True} | arguments))

    def context(self, slug, audience="cache", ttl="60s"):
        return subprocess.run([partywall_binary(), "token", "create", "-f", self._file, "--tenant", slug,
                               "--audience", audience, "--ttl", ttl],
                              check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    def administrator(self, slug=None):
        """Straight at Redis, in the database where the tenant's keys are."""
        return redis.Redis(port=self.redis.port, username=ADMINISTRATOR, password=self.passwords["administrator"],
                           db=self.first_database(slug) if slug and self.mode == "database" else 0, decode_responses=True)

    def stored(self):
        """The keys that Redis has, but for what the door keeps about them in prefix mode."""
        return [key for key in self.administrator().keys() if not key.startswith("partywall-keys:")]

    def empty(self, slug):
        """Through the door, so that it knows. Names of keys that had expired leave the index too."""
        self.client(slug).flushdb()
        if self.mode == "prefix":
            time.sleep(0.2)  # other workers write down what they know every 0.1 s
            self.administrator().delete("partywall-keys:" + self.prefix(slug))

    def first_database(self, slug):
        """In database mode; the tenant's others follow."""
        return 1 + (TENANTS[slug] - 1) * self.databases

    def prefix(self, slug, database=0):
        """What the tenant's keys begin with in Redis."""
        number = f".{database}" if database else ""
        return f"tenant:{{{tenant_id(slug)}}}{number}:" if self.mode == "prefix" else ""

    def derived(self, purpose, subject=""):
        """The password of an ACL user; docs/cache-door.md says how it is derived."""
        return hmac.new(self.passwords["tenants"].encode(), purpose.encode() + b"\0" + subject.encode(),
                        hashlib.sha256).hexdigest()

    def tenant_user(self, slug):
        return (f"partywall-tenant-{tenant_id(slug)}",
                self.derived("partywall cache tenant user", tenant_id(slug)))

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def connections(self):
        return next(float(line.split()[1]) for line in self.metrics().splitlines()
                    if line.startswith("partywall_cache_connections "))

    @property
    def _file(self):
        return self.folder / "platform.yaml"

    def _write(self):
        # A slow machine makes every command slow: what Redis's time is worth is tested where a test says so.
        for tier in self.platform["tiers"].values():
            tier["cache"] = {"redis_time": "1s", "script_time": "1m"} | tier.get("cache", {})
        self._file.write_text(yaml.safe_dump(self.platform))

    def _platform(self):
        def tenant(slug):
            return {"slug": slug, "id": tenant_id(slug), "tier": "slow" if slug == "slow" else "fast", "cell": "main",
                    **({"cache_database": self.first_database(slug)} if self.mode == "database" else {}),
                    "cache": {"secret_sha256": hashlib.sha256(self.secrets[slug].encode()).hexdigest()}}

        return {
            "version": 1,
            "node": {"workers": 2, "access_log": "none", "drain_timeout": "1s"},
            "listen": {"cache": {"address": "127.0.0.1", "port": self.port},
                       "admin": {"address": "127.0.0.1", "port": self.admin_port}},
            "doors": {"cache": {"max_request_size": "4MiB", "write_timeout": "1s", "login_timeout": "1s"}},
            "identity": {"context_keys": [{"id": 1, "file": "context"}]},
            "tiers": {"fast": {"cache_rate": {"per_second": 10_000_000, "burst": 10_000_000},
                               "cache": {"keys": 10_000_000, "megabytes": 16_384, "databases": self.databases}},
                      "slow": {"cache_rate": {"per_second": 20, "burst": 20}, "cache": {"databases": self.databases}}},
            "cells": {"main": {"cache": self._place | {"mode": self.mode, "door_user": DOOR_USER, "door_password_file": "door",
                                                       "tenant_password_file": "tenants", "keyspace_events": self.keyspace_events}}},
            "tenants": [tenant(slug) for slug in TENANTS],
            "logins": {"cache": [{"user": "app"}]},
        }
