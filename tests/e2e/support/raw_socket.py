"""A socket for tests that speak a protocol byte by byte."""
import contextlib
import select
import socket

PATIENCE_SECONDS = 15.0


class RawSocket:
    """Reads exactly what is asked for; a peer that closes raises EOFError, one that is silent TimeoutError."""

    def __init__(self, port, host="127.0.0.1", timeout=PATIENCE_SECONDS):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def abort(self):
        """Closes with a reset instead of an orderly end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def end_sending(self):
        """Says that no more will come; a peer that has gone already is no error."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """Whatever has come: at least one byte, unless the peer has closed (b"")."""
        try:
            return self.socket.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def fill(self):
        data = self.receive()
        if not data:
            raise EOFError(f"the peer closed the connection; not read yet: {bytes(self.buffer)!r}")
        self.buffer += data

    def read(self, count):
        while len(self.buffer) < count:
            self.fill()
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def read_until(self, end):
        while (at := self.buffer.find(end)) < 0:
            self.fill()
        return self.read(at + len(end))

    def read_all(self):
        """Everything up to the peer's end."""
        while data := self.receive():
            self.buffer += data
        return self.read(len(self.buffer))

    def is_silent(self, seconds):
        """Nothing comes for that long (an end counts as something)."""
        return not self.buffer and not select.select([self.socket], [], [], seconds)[0]

    def is_closed_by_peer(self, seconds=PATIENCE_SECONDS):
        """The peer closes within that time, whatever it says before."""
        self.socket.settimeout(seconds)
        try:
            while self.receive():
                pass
            return True
        except TimeoutError:
            return False
