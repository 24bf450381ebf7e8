"""A primary with replicas and Sentinels that watch it, each a process of its own on loopback."""
import pathlib
import shutil
import signal
import tempfile
import time

import redis

from .processes import Process, can_connect, free_port


class RedisNode:
    """A redis-server (or a Sentinel) with a configuration file that it may rewrite, so that it comes back as it was.
    `{port}` in a line is its port."""

    def __init__(self, folder, name, lines, *arguments):
        self.port = free_port()
        self.folder = folder / name
        self.folder.mkdir()
        self._file = self.folder / "redis.conf"
        lines = [f"port {self.port}", *(line.format(port=self.port) for line in lines)]
        self._file.write_text("\n".join(["bind 127.0.0.1", f"dir {self.folder}", "daemonize no", *lines, ""]))
        self._arguments = arguments
        self._process = None

    def start(self):
        self._process = Process([shutil.which("redis-server"), self._file, *self._arguments], self.folder / "log",
                                cwd=self.folder)
        self._process.wait_until(lambda: can_connect(self.port), "accepting connections")

    def send_signal(self, number):
        self._process.process.send_signal(number)

    def kill(self):
        self._process.process.kill()
        self._process.process.wait()

    def stop(self):
        if self._process and self._process.process.poll() is None:
            self.send_signal(signal.SIGCONT)
            self._process.stop()

    def log(self):
        return self._process.log()

    def client(self, **arguments):
        return redis.Redis(port=self.port, socket_timeout=5, **({"decode_responses": True} | arguments))


def server_lines():
    # Small time-outs, so that a fail-over takes a second or two; no files but those of the users.
    return ['save ""', "appendonly no", "databases 64", "aclfile users.acl", "repl-diskless-sync-delay 0",
            "repl-timeout 5", "repl-ping-replica-period 1"]


class SentinelSet:
    NAME = "the-primary"

    def __init__(self, replicas=2, sentinels=3, down_after_ms=700):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="partywall-sentinel-"))
        self.servers = [self._server(0, [])]
        first = self.servers[0]
        self.port = first.port
        for number in range(1, replicas + 1):
            self.servers.append(self._server(number, [f"replicaof 127.0.0.1 {first.port}"]))
        self.sentinels = [
            RedisNode(self.folder, f"sentinel-{number}",
                      [f"sentinel monitor {self.NAME} 127.0.0.1 {first.port} {sentinels // 2 + 1}",
                       f"sentinel down-after-milliseconds {self.NAME} {down_after_ms}",
                       f"sentinel failover-timeout {self.NAME} 4000", f"sentinel parallel-syncs {self.NAME} 2"],
                      "--sentinel") for number in range(sentinels)]

    def _server(self, number, lines):
        node = RedisNode(self.folder, f"server-{number}", server_lines() + lines)
        (node.folder / "users.acl").touch()
        return node

    def start(self):
        for node in self.servers:
            node.start()
        wait_for(lambda: self.servers[0].client().info("replication")["connected_slaves"] == len(self.servers) - 1,
                 "the replicas")
        for node in self.sentinels:
            node.start()
        wait_for(lambda: all(self._sees_all(node) for node in self.sentinels), "the Sentinels to know all")

    def _sees_all(self, sentinel):
        state = sentinel.client().sentinel_master(self.NAME)
        return (int(state["num-other-sentinels"]) == len(self.sentinels) - 1
                and int(state["num-slaves"]) == len(self.servers) - 1)

    def primary(self):
        """The node that most Sentinels name."""
        ports = [sentinel.client().sentinel_get_master_addr_by_name(self.NAME)[1] for sentinel in self.sentinels]
        port = max(ports, key=ports.count)
        return next(node for node in self.servers if node.port == int(port))

    def stop(self):
        for node in self.sentinels + self.servers:
            node.stop()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def wait_for(ready, what, patience=30.0):
    """Polls; an error of the server counts as not ready."""
    deadline = time.monotonic() + patience
    while True:
        try:
            if ready():
                return
        except redis.RedisError:
            pass
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.05)
