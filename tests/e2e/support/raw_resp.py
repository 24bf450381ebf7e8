"""Redis's protocol, RESP2 and RESP3, byte by byte."""
from .raw_socket import RawSocket


class ErrorReply(str):
    """-ERR …; compares as its text."""


class Push(list):
    """A RESP3 push."""


def command(*words):
    """The bytes of one request."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


class RawResp(RawSocket):
    def command(self, *words):
        self.send(command(*words))
        return self.read_reply()

    def read_line(self):
        return self.read_until(b"\r\n")[:-2]

    def read_reply(self):
        """bytes, int, float, bool, None, list, dict, set, ErrorReply or Push."""
        line = self.read_line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-":
            return ErrorReply(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        if kind in b"$=!":
            return self._blob(kind, int(rest))
        if kind in b"*~>":
            return self._list(kind, int(rest))
        if kind == b"%":
            return {_hashable(self.read_reply()): self.read_reply() for _ in range(int(rest))}
        raise ValueError(f"no RESP: {line!r}")

    def _blob(self, kind, length):
        if length < 0:
            return None
        data = self.read(length + 2)[:-2]
        return ErrorReply(data.decode()) if kind == b"!" else data

    def _list(self, kind, length):
        if length < 0:
            return None
        items = [self.read_reply() for _ in range(length)]
        return Push(items) if kind == b">" else items


def _hashable(value):
    return tuple(value) if isinstance(value, list) else value
