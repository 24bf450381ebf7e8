"""A client that sends what it is told and reads replies one by one."""
import socket


class ErrorReply(str):
    """-ERR …"""


def request(*words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


class Resp:
    def __init__(self, port, *login):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.socket.makefile("rb")
        if login:
            assert self.ask("AUTH", *login) == b"OK"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, *words):
        self.send(request(*words))
        return self.read()

    def is_closed(self):
        """Waits for the end of the connection; reads what comes before it."""
        try:
            self.file.read()
            return True
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError(f"the connection ended: {line!r}")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            return ErrorReply(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"_":
            return None
        if kind in b"$=":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind in b"*~>":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        if kind == b"%":
            return {str(self.read()): self.read() for _ in range(int(rest))}
        return line[:-2]
