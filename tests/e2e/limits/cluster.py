"""Several nodes with all three doors over one limits store, one PostgreSQL and one Redis; and an application whose
requests end when the test says so."""
import contextlib
import copy
import hashlib
import http.client
import http.server
import json
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

import redis
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from sql.sql_stack import PASSWORD, TENANTS, SqlStack
from support import web_tokens
from support.processes import Process, can_connect, free_port
from support.redis_server import RedisServer

STORE_USER = "nodes"
RATE, BURST = 600, 20  # requests a minute
CACHE_RATE, CACHE_BURST = 50, 40  # commands a second
REQUESTS, CONNECTIONS = 4, 3  # at once


class Application:
    """Answers /api/now at once, everything else when `release` is set."""

    def __init__(self):
        self.release, self.held, self._lock = threading.Event(), 0, threading.Lock()
        application = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path == "/api/hold":
                    with application._lock:
                        application.held += 1
                    application.release.wait(60)
                    with application._lock:
                        application.held -= 1
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


class Node:
    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.http_port, self.sql_port, self.cache_port, self.admin_port = (free_port() for _ in range(4))
        self.process = None

    def prepare(self):
        """Writes its platform file. A server role serves one connection at a time, so each node has its own."""
        ports = {"http": self.http_port, "sql": self.sql_port, "cache": self.cache_port, "admin": self.admin_port}
        platform = self.cluster.platform | {
            "listen": {door: {"address": "127.0.0.1", "port": port} for door, port in ports.items()}}
        platform = copy.deepcopy(platform)
        platform["cluster"]["node"] = f"node-{self.number}"
        platform["cells"]["main"]["sql"]["slot_roles"]["prefix"] += f"{self.number}_"
        self.file = self.cluster.folder / f"node-{self.number}.yaml"
        self.file.write_text(yaml.safe_dump(platform))
        self.file.chmod(0o600)

    def start(self):
        self.process = Process([self.cluster.binary, "serve", "-f", self.file],
                               self.cluster.folder / f"log-{self.number}")
        ports = (self.http_port, self.sql_port, self.cache_port, self.admin_port)
        self.process.wait_until(lambda: all(map(can_connect, ports)), "its doors")

    def wait_for_application(self, patience=60):
        deadline = time.monotonic() + patience
        while self.get("/api/now", "globex")[0] == 503:
            assert time.monotonic() < deadline, "the application is not up"
            time.sleep(0.05)

    def kill(self):
        self.process.process.send_signal(signal.SIGKILL)
        self.process.process.wait()

    def get(self, path, tenant):
        """Status and headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.cluster.token(tenant)}"})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers

    def redis(self, tenant):
        return redis.Redis(port=self.cache_port, username=tenant, password=self.cluster.cache_secrets[tenant],
                           socket_timeout=30)

    def limits(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=10) as answer:
            return json.load(answer)["limits"]

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


class Cluster:
    def __init__(self, postgres, binary, nodes=3, store=None, store_tls=None):
        """`store`: a limits store of the test's own; `store_tls`: how the nodes are to trust it."""
        self.binary = binary
        self.store, self.store_tls = store or RedisServer(), store_tls
        self.application = Application()
        self.sql = SqlStack(postgres, binary, slots=6, change=self._extend)
        self.folder = self.sql.folder
        self.nodes = [Node(self, number) for number in range(nodes)]

    def _extend(self, platform):
        self.files = pathlib.Path(tempfile.mkdtemp(prefix="partywall-limits-"))
        self.cells_redis = RedisServer(databases=16)
        self.secrets = {name: secrets.token_hex(32) for name in ("door", "tenants", "administrator", "store")}
        self.cache_secrets = {slug: secrets.token_urlsafe(24) for slug in TENANTS}
        self.key = ec.generate_private_key(ec.SECP256R1())
        for name, value in self.secrets.items():
            path = self.files / name
            path.touch(mode=0o600)
            path.write_text(value)
        (self.files / "keys.json").write_text(json.dumps(web_tokens.ec_key_set(self.key, "1")))
        platform["identity"]["issuers"] = [{"issuer": "tests", "audience": "cluster", "key_set": str(self.files / "keys.json")}]
        platform["tiers"] = {"small": {
            "api_rate_limit": {"per_minute": RATE, "burst": BURST}, "max_concurrent_requests": REQUESTS,
            "cache_rate": {"per_second": CACHE_RATE, "burst": CACHE_BURST}, "max_db_connections": CONNECTIONS, "max_cpu_seconds": 1_000_000,
            "cache": {"redis_time": "1s", "script_time": "1m"}}}
        cell = platform["cells"]["main"]
        cell["cache"] = {"address": "127.0.0.1", "port": self.cells_redis.port, "door_user": "door",
                         "door_password_file": str(self.files / "door"),
                         "tenant_password_file": str(self.files / "tenants")}
        cell["pools"] = {"web": {"health": {"interval": "1s", "timeout": "20s", "rise": 1, "fall": 20}, "instances": [{"id": "app", "address": "127.0.0.1", "port": self.application.port}]}}
        platform["routes"] = [{"path": "/api/", "pool": "web"}]
        for number, tenant in enumerate(platform["tenants"]):
            secret = self.cache_secrets[tenant["slug"]]
            tenant |= {"tier": "small", "cache_database": number + 1,
                       "cache": {"secret_sha256": hashlib.sha256(secret.encode()).hexdigest()}}
        platform["cluster"] = {"expected_nodes": 3, "limits": {
            "address": "127.0.0.1", "port": self.store.port,
            "login": {"user": STORE_USER, "password_file": str(self.files / "store")},
            "answer_timeout": "3s"}}  # the machine that runs the tests may be busy
        if self.store_tls:
            platform["cluster"]["limits"]["tls"] = self.store_tls

    @property
    def platform(self):
        return self.sql.platform

    def __enter__(self):
        self.cells_redis.start()
        self.start_store()
        subprocess.run([self.binary, "cache", "provision", "-f", self.sql.platform_file, "--administrator",
                        "administrator", "--password-file", self.files / "administrator"], check=True,
                       capture_output=True, timeout=60)
        for node in self.nodes:
            node.prepare()
            self.sql.platform_file = node.file
            self.sql.protect()
            node.start()
        self.wait_for("store")
        for node in self.nodes:
            node.wait_for_application()
        return self

    def __exit__(self, *_):
        self.application.release.set()
        for node in self.nodes:
            node.process.stop()
        self.application.stop()
        for server in (self.cells_redis, self.store):
            server.stop()
            server.remove()
        self.sql.remove()
        shutil.rmtree(self.files, ignore_errors=True)

    def start_store(self):
        self.store.start()
        # As docs/limits.md says.
        self.store.client().acl_setuser(
            STORE_USER, enabled=True, reset=True, passwords=[f"+{self.secrets['store']}"],
            keys=["partywall:limits:*", "{partywall:nodes}:*"],
            commands=["+evalsha", "+script|load", "+time", "+get", "+set", "+zadd", "+zrem", "+zremrangebyscore", "+zcount",
                      "+zcard"])

    def wait_for(self, source, nodes=None, patience=60):
        """Until all nodes go by the store, or by their shares, and know of each other."""
        deadline = time.monotonic() + patience
        nodes = nodes or self.nodes
        while True:
            limits = [node.limits() for node in nodes]
            if all(one["source"] == source and one["live_nodes"] == len(self.nodes) for one in limits):
                return
            assert time.monotonic() < deadline, limits
            time.sleep(0.05)

    def token(self, tenant):
        return web_tokens.make({"alg": "ES256", "kid": "1"}, web_tokens.claims_for(tenant, "tests", "cluster"),
                               web_tokens.es256(self.key))


def at_once(*works):
    """Runs each in a thread; their results in order."""
    results = [None] * len(works)

    def run(index, work):
        results[index] = work()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
