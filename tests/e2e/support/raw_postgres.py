"""PostgreSQL's protocol 3.0, message by message, for what no driver would send."""
import base64
import hashlib
import hmac
import os
import struct
from dataclasses import dataclass, field

from .raw_socket import RawSocket

CANCEL_REQUEST = 80877102
PROTOCOL_3 = 196608


def message(kind, body=b""):
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def text(value):
    return value.encode() + b"\0"


def query(sql):
    return message("Q", text(sql))


def parse(sql, name="", types=()):
    return message("P", text(name) + text(sql) + struct.pack(f"!h{len(types)}i", len(types), *types))


def bind(*values, statement="", portal="", binary_results=False):
    body = text(portal) + text(statement) + struct.pack("!hh", 0, len(values))
    for value in values:
        if value is None:
            body += struct.pack("!i", -1)
        else:
            data = value if isinstance(value, bytes) else str(value).encode()
            body += struct.pack("!i", len(data)) + data
    return message("B", body + (struct.pack("!hh", 1, 1) if binary_results else struct.pack("!h", 0)))


def describe(what, name=""):
    return message("D", what.encode() + text(name))


def execute(portal="", rows=0):
    return message("E", text(portal) + struct.pack("!i", rows))


def close(what, name=""):
    return message("C", what.encode() + text(name))


def function_call(oid, *arguments):
    """Arguments are bytes, passed in binary format."""
    body = struct.pack("!ihhh", oid, 1, 1, len(arguments))
    for argument in arguments:
        body += struct.pack("!i", len(argument)) + argument
    return message("F", body + struct.pack("!h", 1))


SYNC = message("S")
FLUSH = message("H")
TERMINATE = message("X")


@dataclass
class Message:
    kind: str
    body: bytes

    def fields(self):
        """Of an ErrorResponse or NoticeResponse: severity S, SQLSTATE C, message M …"""
        parts = self.body.split(b"\0")
        return {part[:1].decode(): part[1:].decode() for part in parts if part}

    def values(self):
        """Of a DataRow: bytes, or None for NULL."""
        count, at, result = struct.unpack_from("!h", self.body)[0], 2, []
        for _ in range(count):
            (length,) = struct.unpack_from("!i", self.body, at)
            at += 4
            result.append(None if length < 0 else self.body[at:at + length])
            at += max(length, 0)
        return result


@dataclass
class Answer:
    """What came up to a ReadyForQuery."""

    messages: list = field(default_factory=list)

    def of(self, kind):
        return [one for one in self.messages if one.kind == kind]

    @property
    def rows(self):
        return [[None if v is None else v.decode() for v in one.values()] for one in self.of("D")]

    @property
    def tags(self):
        return [one.body[:-1].decode() for one in self.of("C")]

    @property
    def errors(self):
        return [one.fields()["C"] for one in self.of("E")]

    @property
    def error_text(self):
        return "; ".join(" ".join(one.fields().values()) for one in self.of("E"))

    @property
    def status(self):
        """I (idle), T (in a transaction) or E (in a failed one)."""
        return self.messages[-1].body.decode()


class LoginRefused(Exception):
    """The server's error instead of a login; `fields` as in Message.fields."""

    def __init__(self, fields):
        super().__init__(fields)
        self.fields = fields


class RawPostgres(RawSocket):
    """A connection that is logged in by SCRAM-SHA-256. `key` is (process id, secret) for cancel()."""

    def __init__(self, port, user, password, database, host="127.0.0.1", **parameters):
        super().__init__(port, host)
        self.key = None
        self.parameters = {}
        self._scram = _ScramClient(password)
        settings = {"user": user, "database": database} | parameters
        body = struct.pack("!i", PROTOCOL_3) + b"".join(text(k) + text(v) for k, v in settings.items()) + b"\0"
        self.send(struct.pack("!i", len(body) + 4) + body)
        self._log_in()

    def _log_in(self):
        while (one := self.read_message()).kind != "Z":
            if one.kind == "E":
                self.close()
                raise LoginRefused(one.fields())
            if one.kind == "R":
                self._authenticate(*struct.unpack_from("!i", one.body), one.body[4:])
            elif one.kind == "S":
                name, value = one.body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode()
            elif one.kind == "K":
                self.key = struct.unpack("!ii", one.body)

    def _authenticate(self, kind, rest):
        if kind == 10:
            assert b"SCRAM-SHA-256" in rest.split(b"\0")
            first = self._scram.first()
            self.send(message("p", text("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
        elif kind == 11:
            self.send(message("p", self._scram.answer(rest)))
        elif kind == 12:
            self._scram.check(rest)
        elif kind == 3:
            self.send(message("p", text(self._scram.password)))
        else:
            assert kind == 0, f"authentication method {kind}"

    def read_message(self):
        head = self.read(5)
        (length,) = struct.unpack("!i", head[1:])
        return Message(head[:1].decode(), self.read(length - 4))

    def read_answer(self):
        """Everything up to and including the next ReadyForQuery."""
        answer = Answer()
        while not answer.messages or answer.messages[-1].kind != "Z":
            answer.messages.append(self.read_message())
        return answer

    def ask(self, *messages):
        self.send(b"".join(messages))
        return self.read_answer()

    def query(self, sql):
        return self.ask(query(sql))

    def extended(self, sql, *values, name=""):
        return self.ask(parse(sql, name), bind(*values, statement=name), describe("P"), execute(), SYNC)


def cancel(port, key, host="127.0.0.1"):
    """Sends a CancelRequest and waits for the peer to close, which is all that it ever answers."""
    with RawSocket(port, host) as socket:
        socket.send(struct.pack("!iiii", 16, CANCEL_REQUEST, *key))
        return socket.read_all()


class _ScramClient:
    """RFC 5802 with SHA-256 and no channel binding."""

    def __init__(self, password):
        self.password = password
        self._nonce = base64.b64encode(os.urandom(18)).decode()
        self._bare = f"n=,r={self._nonce}"

    def first(self):
        return f"n,,{self._bare}".encode()

    def answer(self, server_first):
        values = dict(part.split("=", 1) for part in server_first.decode().split(","))
        assert values["r"].startswith(self._nonce)
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(values["s"]), int(values["i"]))
        final = f"c=biws,r={values['r']}"
        signed = ",".join((self._bare, server_first.decode(), final)).encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature))
        self._expected = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def check(self, server_final):
        assert base64.b64decode(server_final.split(b"v=")[1]) == self._expected, "the server does not know the password"
