"""HTTP/1.1 byte by byte: a client that sends anything, and an application that keeps what it got."""
import json
import socket
import threading
from dataclasses import dataclass, field

from .raw_socket import RawSocket


@dataclass
class Response:
    status: int
    headers: list  # (name in lower case, value), as they came
    body: bytes

    def header(self, name):
        found = [value for key, value in self.headers if key == name.lower()]
        assert len(found) < 2, f"{name} is there {len(found)} times"
        return found[0] if found else None

    def json(self):
        return json.loads(self.body)


class RawHttp(RawSocket):
    def read_response(self, method="GET"):
        """The next final response; 1xx ones are skipped."""
        status = 100
        while 100 <= status < 200 and status != 101:
            head = self.read_until(b"\r\n\r\n")
            start, *lines = head[:-4].split(b"\r\n")
            status = int(start.split(b" ")[1])
        headers = _read_fields(lines)
        fields = dict(headers)
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif "chunked" in fields.get("transfer-encoding", ""):
            body, _ = _read_chunked(self)
        elif "content-length" in fields:
            body = self.read(int(fields["content-length"]))
        else:
            body = self.read_all()
        return Response(status, headers, body)

    def request(self, method, path, headers=(), body=None):
        """Sends a well-formed request and reads its response."""
        self.send(request(method, path, headers, body))
        return self.read_response(method)


def request(method, path, headers=(), body=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: shop.example"] + [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines + ["", ""]).encode("latin-1") + (body or b"")


def bearer(token):
    return ("Authorization", f"Bearer {token}")


def chunked(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _read_fields(lines):
    pairs = (line.decode("latin-1").split(":", 1) for line in lines)
    return [(name.lower(), value.strip()) for name, value in pairs]


def _read_chunked(source):
    body = b""
    while size := int(source.read_until(b"\r\n").split(b";")[0], 16):
        body += source.read(size)
        if source.read(2) != b"\r\n":
            raise ValueError("a chunk is longer than it says")
    trailers = []
    while (line := source.read_until(b"\r\n")) != b"\r\n":
        trailers.append(line[:-2])
    return body, _read_fields(trailers)


@dataclass
class SeenRequest:
    """A request as the application received it."""

    connection: int  # number of the TCP connection, from 0
    head: bytes
    body: bytes
    headers: list = field(default_factory=list)  # (name in lower case, value)
    trailers: list = field(default_factory=list)

    @property
    def method(self):
        return self.head.split(b" ")[0].decode()

    @property
    def target(self):
        return self.head.split(b" ")[1].decode()

    def header(self, name):
        found = [value for key, value in self.headers if key == name.lower()]
        return found[0] if found else None


class EchoApplication:
    """Answers each request with what it was, as JSON, and keeps it in `seen`.

    Headers named X-Echo-* make it behave: `X-Echo-Chunked` (answer chunked), `X-Echo-Size` (so many bytes
    instead of JSON), `X-Echo-Stop-After` (close after so many bytes of the answer), `X-Echo-Behind` (more bytes
    behind the answer), `X-Echo-Wait` (until release() or so many seconds), `X-Echo-Status`.
    """

    def __init__(self):
        self.seen = []
        self.waiting = 0
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._connections = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self):
        self._released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def forget(self):
        """For a test of its own: nothing seen, nobody released."""
        with self._lock:
            self.seen.clear()
        self._released = threading.Event()

    def release(self):
        self._released.set()

    def requests(self):
        """What came, health checks left out."""
        with self._lock:
            return [one for one in self.seen if one.target != "/healthz"]

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number, self._connections = self._connections, self._connections + 1
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        reader = RawSocket.__new__(RawSocket)
        reader.socket, reader.buffer = connection, bytearray()
        try:
            while self._answer(reader, number):
                pass
        except (EOFError, OSError, ValueError):
            pass
        finally:
            connection.close()

    def _answer(self, reader, number):
        head = reader.read_until(b"\r\n\r\n")
        headers = _read_fields(head[:-4].split(b"\r\n")[1:])
        fields = dict(headers)
        if fields.get("expect") == "100-continue":
            reader.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        trailers = []
        if "transfer-encoding" in fields:
            body, trailers = _read_chunked(reader)
        else:
            body = reader.read(int(fields.get("content-length", 0)))
        one = SeenRequest(number, head, body, headers, trailers)
        with self._lock:
            self.seen.append(one)
        self._wait(one)
        answer = self._make_answer(one)
        stop_after = one.header("x-echo-stop-after")
        if stop_after is not None:
            reader.send(answer[:int(stop_after)])
            return False
        reader.send(answer + (one.header("x-echo-behind") or "").encode().decode("unicode_escape").encode("latin-1"))
        return fields.get("connection") != "close"

    def _wait(self, one):
        seconds = one.header("x-echo-wait")
        if seconds is None:
            return
        released = self._released
        with self._lock:
            self.waiting += 1
        released.wait(float(seconds))
        with self._lock:
            self.waiting -= 1

    @staticmethod
    def _make_answer(one):
        size = one.header("x-echo-size")
        if size is not None:
            body = b"x" * int(size)
        else:
            own = [(k, v) for k, v in one.headers if k not in ("host", "content-length", "transfer-encoding")]
            body = json.dumps({"method": one.method, "target": one.target, "headers": own,
                               "body": one.body.decode("latin-1")}).encode()
        status = int(one.header("x-echo-status") or 200)
        head = f"HTTP/1.1 {status} Echo\r\nContent-Type: application/json\r\n"
        if status in (204, 304):
            return f"{head}\r\n".encode()
        if one.header("x-echo-chunked") is not None:
            framing, content = "Transfer-Encoding: chunked", chunked(*(body[i:i + 100] for i in range(0, len(body), 100)))
        else:
            framing, content = f"Content-Length: {len(body)}", body
        return f"{head}{framing}\r\n\r\n".encode() + (b"" if one.method == "HEAD" else content)
