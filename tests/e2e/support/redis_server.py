"""A private Redis: its own folder and port, nothing kept on disk."""
import pathlib
import shutil
import signal
import tempfile

import redis

from .processes import Process, can_connect, free_port


class RedisServer:
    """Start it with `start()`, end it with `stop()`; or use it as a context manager."""

    def __init__(self, *arguments, databases=1024):
        program = shutil.which("redis-server")
        if not program:
            raise RuntimeError("redis-server is not installed: run scripts/setup")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="partywall-redis-"))
        self.host = "127.0.0.1"
        self.port = free_port()
        self._command = [program, "--bind", self.host, "--port", self.port, "--dir", self.folder, "--save", "",
                         "--appendonly", "no", "--databases", databases, "--daemonize", "no", *arguments]
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.remove()

    def start(self):
        self._process = Process(self._command, self.folder / "log", None, signal.SIGTERM, cwd=self.folder)
        self._process.wait_until(lambda: can_connect(self.port), "accepting connections")

    def stop(self):
        if self._process:
            self._process.stop()
            self._process = None

    def restart(self):
        self.stop()
        self.start()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def client(self, **arguments):
        return redis.Redis(host=self.host, port=self.port, **arguments)
