"""A whole embedded stack: `partywall up` in a folder of its own."""
import json
import os
import pathlib
import shutil
import signal
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager

from support.paths import partywall_binary
from support.processes import Process


@contextmanager
def stack_folder():
    """A folder for stacks. Not pytest's: run by root, the engines' user could not enter that, and their data would go
    to /var/lib/partywall. Engines that a failing test leaves behind are ended with it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="partywall-up-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        for inner in folder.iterdir():
            for pid in recorded_processes(inner).values():
                if is_running(pid):
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder)


ANY_PORTS = ["--http-port", "0", "--sql-port", "0", "--cache-port", "0", "--admin-port", "0"]


class Up(Process):
    """Runs until stop(). `run` is what run.json says: ports, tokens, passwords, process ids."""

    def __init__(self, data_dir, log_path, *options):
        self.data_dir = data_dir
        command = [partywall_binary(), "up", "--no-tour", "--data-dir", data_dir, *ANY_PORTS, *options]
        super().__init__(command, log_path, stop_signal=signal.SIGTERM)
        try:
            self.wait_until(self._has_written_its_record, "run.json", patience=120)
        except BaseException:
            self.stop()
            raise

    def _has_written_its_record(self):
        try:
            self.run = json.loads((self.data_dir / "run.json").read_text())
        except FileNotFoundError:
            return False
        return self.run["pid"] == self.pid  # otherwise it is of a run that was killed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop(patience=60)

    def tenant(self, slug):
        return self.run["tenants"][slug]

    def request(self, path, *, tenant=None, token=None, method="GET", body=None, headers=None):
        """(status, headers, text) of a request at the http door, with the tenant's token."""
        sent = dict(headers or {})
        if tenant:
            token = self.tenant(tenant)["token"]
        if token:
            sent["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        url = f"http://127.0.0.1:{self.run['http']['port']}{path}"
        request = urllib.request.Request(url, data=data, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers, refused.read().decode()

    def json(self, path, **arguments):
        """The body of a 200 answer."""
        status, _, text = self.request(path, **arguments)
        assert status in (200, 201), f"{path}: {status} {text}"
        return json.loads(text)


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def recorded_processes(data_dir):
    """Process id by instance, from the provider's records."""
    found = {}
    for record in (data_dir / "fleet").glob("*.group"):
        for line in record.read_text().splitlines():
            words = line.split()
            if words[0] == "instance":
                found[f"{record.stem}-{words[1]}"] = int(words[4])
    return found


def product_names(up, tenant):
    return {product["name"] for product in up.json("/api/products?limit=500", tenant=tenant)}
