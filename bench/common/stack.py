"""What the benchmarks start: a platform file with one cell, and `partywall serve` on it."""
import hashlib
import json
import pathlib
import sys
import time

import jwt
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))

from support.paths import partywall_binary  # noqa: E402
from support.processes import Process, can_connect, free_port  # noqa: E402

TENANT = "6f1c9a52-4f43-4a6b-9d0e-2f6d1c7b8a11"
ISSUER = "https://bench.invalid"
UNLIMITED = 10_000_000  # the most that a platform file takes


class Identity:
    """An issuer of our own: its key set, and tokens that it signs."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())

    def key_set(self):
        def encode(number):
            return jwt.utils.base64url_encode(number.to_bytes(32, "big")).decode()
        public = self.key.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "x": encode(public.x), "y": encode(public.y),
               "kid": "bench", "alg": "ES256", "use": "sig"}
        return json.dumps({"keys": [key]})

    def token(self, tenant=TENANT):
        claims = {"iss": ISSUER, "aud": "partywall", "sub": "bench", "tenant_id": tenant, "exp": int(time.time()) + 3600}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "bench"})


def write_platform_file(folder, identity, *, workers=1, sql=None, cache=None, instances=()):
    """A platform file with all three doors on free ports and one tenant without practical limits.

    `sql` and `cache` replace parts of the cell; returns the path and the ports by door."""
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700)

    def secret(name, content):
        path = secrets / name
        path.write_text(content)
        path.chmod(0o600)
        return f"secrets/{name}"

    (folder / "jwks.json").write_text(identity.key_set())
    ports = {door: free_port() for door in ("http", "sql", "cache", "admin")}
    key = hashlib.sha256(b"only for benchmarks").hexdigest()
    platform = {
        "version": 1,
        "node": {"workers": workers, "access_log": str(folder / "access.log"), "drain_timeout": "2s"},
        "listen": {door: {"address": "127.0.0.1", "port": port} for door, port in ports.items()},
        "identity": {
            "context_keys": [{"id": 1, "file": secret("context.key", key)}],
            "issuers": [{"issuer": ISSUER, "audience": "partywall", "tenant_claim": "tenant_id", "key_set": "jwks.json"}],
        },
        "tiers": {"bench": {
            "extends": "enterprise",
            "max_concurrent_requests": 100_000,
            "max_cpu_seconds": 1_000_000,
            "api_rate_limit": {"per_minute": UNLIMITED, "burst": 1_000_000},
            "cache_rate": {"per_second": UNLIMITED, "burst": 1_000_000},
            "cache": {"redis_time": "1s"},
        }},
        "cells": {"main": {
            "kind": "shared", "region": "local",
            "sql": {"address": "127.0.0.1", "port": 1, "database": "app",
                    "slot_roles": {"prefix": "partywall_slot_", "count": 20, "password_file": secret("slots", key)},
                    "register_key_file": secret("register.key", key + key),
                    "owner": {"role": "app_owner", "password_file": secret("owner", key)}} | (sql or {}),
            "cache": {"address": "127.0.0.1", "port": 1, "door_user": "partywall_door",
                      "door_password_file": secret("cache-door", key),
                      "tenant_password_file": secret("cache-tenants", key)} | (cache or {}),
            "pools": {"web": {"health": {"path": "/healthz", "interval": "1s"}, "instances": list(instances)}},
        }},
        "routes": [{"path": "/", "pool": "web"}],
        "tenants": [{"slug": "acme", "id": TENANT, "name": "Acme", "tier": "bench", "cell": "main", "cache_database": 1}],
    }
    path = folder / "platform.yaml"
    path.write_text(yaml.safe_dump(platform))
    return path, ports


def serve(platform_file, ports):
    """`partywall serve` on the file, ready when its admin port says so."""
    process = Process([partywall_binary(), "serve", "-f", platform_file], platform_file.parent / "partywall.log")
    process.wait_until(lambda: can_connect(ports["admin"]), "admin port")
    return process
