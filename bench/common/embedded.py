"""`partywall up` in a folder of its own: all doors with real engines behind them."""
import json
import pathlib
import shutil
import signal
import tempfile

import psycopg

from .stack import Process, partywall_binary


class EmbeddedStack:
    """Context manager: `run` is what run.json says."""

    def __init__(self, workers=1):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="partywall-bench-"))
        self.folder.chmod(0o755)
        self.data = self.folder / "data"
        ports = [argument for door in ("http", "sql", "cache", "admin") for argument in (f"--{door}-port", "0")]
        self.process = Process(
            [partywall_binary(), "up", "--data-dir", self.data, "--no-tour", "--workers", str(workers), *ports],
            self.folder / "up.log", stop_signal=signal.SIGTERM)

    def __enter__(self):
        try:
            self.process.wait_until((self.data / "run.json").exists, "run.json", patience=120)
            self.run = json.loads((self.data / "run.json").read_text())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.stop(patience=60)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    def superuser(self, database=None):
        """A connection of the private PostgreSQL's superuser, not through the door."""
        server = self.run["postgresql"]
        return psycopg.connect(host=server["address"], port=server["port"], user=server["user"],
                               password=server["password"], dbname=database or self.run["database"], autocommit=True)
