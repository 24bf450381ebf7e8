"""`partywall control` on a database of its own, and a client of its admin API."""
import http.client
import json
import os
import secrets
import socket
import subprocess
import urllib.parse

from .paths import partywall_binary
from .processes import Process, can_connect, free_port


class Answer:
    def __init__(self, status, headers, text):
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def problem(self):
        return self.json["type"].removeprefix("urn:partywall:problem:")

    def __repr__(self):
        return f"{self.status} {self.text[:300]}"


class ApiClient:
    """Calls with one token. Every call is noted in `seen` as (method, path, status)."""

    def __init__(self, port, token, seen):
        self.port = port
        self.token = token
        self.seen = seen

    def call(self, method, path, body=None, **headers):
        """Header names have '_' for '-'. `body` is sent as JSON unless it is bytes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read().decode())
        finally:
            connection.close()
        self.seen.add((method, path.partition("?")[0], answer.status))
        return answer

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.call("POST", path, body, **headers)

    def put(self, path, body, **headers):
        return self.call("PUT", path, body, **headers)

    def delete(self, path, **headers):
        return self.call("DELETE", path, **headers)

    def lines(self, path, body):
        """The lines of an apply."""
        answer = self.post(path, body)
        assert answer.status == 200, answer
        return [json.loads(line) for line in answer.text.splitlines()]

    def watch(self, path="/v1/events", **headers):
        """An open stream of server-sent events."""
        return EventStream(self.port, path, self.token, headers)


class EventStream:
    def __init__(self, port, path, token, headers):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: text/event-stream", f"Authorization: Bearer {token}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.response = http.client.HTTPResponse(self.socket)
        self.response.begin()

    def __iter__(self):
        """The events as they come."""
        for line in self.response:
            if line.startswith(b"data: "):
                yield json.loads(line[len(b"data: "):])

    def close(self):
        self.response.close()
        self.socket.close()


class Control:
    """Without a leader unless `operations` says otherwise: tenants then stay as they were made."""

    def __init__(self, postgres, database, folder, options="", operations="{run: false}"):
        self.folder = folder
        self.database = database
        self.port = free_port()
        self.seen = set()
        self._write("password", postgres.password)
        self._write("node.key", secrets.token_hex(32))
        self.file = self._write("control.yaml", f"""
control_store: {{address: {postgres.host}, port: {postgres.port}, database: {database}, user: {postgres.superuser},
                password_file: password, node_key_file: node.key}}
api:
  listen: {{address: 127.0.0.1, port: {self.port}}}
{options}
operations: {operations}
""")
        self.owner = self.client(self.run("bootstrap-token", "-f", self.file).strip())
        self.process = None
        self.start()

    def start(self):
        self.process = Process([partywall_binary(), "control", "-f", self.file], self.folder / "log")
        self.process.wait_until(lambda: can_connect(self.port), "listening")

    def stop(self):
        self.process.stop()

    def client(self, token):
        return ApiClient(self.port, token, self.seen)

    def with_role(self, role, tenant=None):
        """A client with a new token."""
        body = {"name": f"test {role}", "role": role} | ({"tenant": tenant} if tenant else {})
        made = self.owner.post("/v1/tokens", body)
        assert made.status == 201, made
        return self.client(made.json["token"])

    def tenant(self, slug, **members):
        made = self.owner.post("/v1/tenants", {"slug": slug} | members)
        assert made.status == 202, made
        return made.json["tenant"]

    def cell(self, name, **members):
        body = {"parts": {"pools": [{"name": "web", "provided": True, "health": None, "instances": []}]}} | members
        made = self.owner.put(f"/v1/cells/{name}", body)
        assert made.status == 201, made
        return made.json

    def run(self, *arguments, status=0):
        """Standard output of a command of the binary."""
        done = subprocess.run([partywall_binary(), *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == status, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout

    def log(self):
        return self.process.log()

    def _write(self, name, content):
        path = self.folder / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
        return path


def segment(text):
    return urllib.parse.quote(text, safe="")
