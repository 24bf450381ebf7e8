"""A whole embedded stack: `partywall up` in a folder of its own."""
import json
import signal
import urllib.error
import urllib.request

from support.paths import partywall_binary
from support.processes import Process

ANY_PORTS = ["--http-port", "0", "--sql-port", "0", "--cache-port", "0", "--admin-port", "0"]


class Up(Process):
    """Runs until stop(). `run` is what run.json says: ports, tokens, passwords, process ids."""

    def __init__(self, data_dir, log_path, *options):
        self.data_dir = data_dir
        command = [partywall_binary(), "up", "--no-tour", "--data-dir", data_dir, *ANY_PORTS, *options]
        super().__init__(command, log_path, stop_signal=signal.SIGTERM)
        try:
            self.wait_until((data_dir / "run.json").exists, "run.json", patience=120)
        except BaseException:
            self.stop()
            raise
        self.run = json.loads((data_dir / "run.json").read_text())

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
