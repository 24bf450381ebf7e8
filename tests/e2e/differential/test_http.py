"""Random legal requests of two tenants, interleaved through the http door, are to the application what they are
without it: the same methods, targets, headers and bodies, and the same answers.

Longer: PARTYWALL_LONG=1."""
import os
import random

import pytest

from support.raw_http import RawHttp, bearer, chunked

SEEDS = range(60) if os.environ.get("PARTYWALL_LONG") else range(8)
STEPS = 60

# What a proxy adds, removes or changes on the way; everything else must arrive as it was sent.
ON_THE_WAY = {"host", "connection", "keep-alive", "te", "trailer", "expect", "via", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
              "x-request-id", "x-tenant-id", "x-tenant-slug", "x-tenant-tier", "x-partywall-context", "content-length", "transfer-encoding", "accept-encoding"}
ADDED_TO_ANSWERS = {"date", "via", "connection", "keep-alive", "content-length", "transfer-encoding", "x-request-id", "ratelimit", "ratelimit-policy", "server"}


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def request(self, token):
        """(method, bytes, whether the connection is to be closed after it)"""
        r = self.random
        method = r.choice(["GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        headers = [("Host", "shop.example"), bearer(token)] + [self.header() for _ in range(r.randrange(6))]
        last = r.random() < 0.15
        if last:
            headers.append(("Connection", "close"))
        body = self.body() if method in ("POST", "PUT", "PATCH") or r.random() < 0.1 else None
        data = b""
        if body is not None:
            if r.random() < 0.5:
                headers.append(("Transfer-Encoding", "chunked"))
                data = chunked(*self.pieces(body))
            else:
                headers.append(("Content-Length", str(len(body))))
                data = body
            if r.random() < 0.1:
                headers.append(("Expect", "100-continue"))
        headers += self.answer()
        r.shuffle(headers)
        lines = [f"{method} {self.target()} HTTP/1.1"] + [f"{self.odd_case(name)}:{r.choice(['', ' ', '  ', chr(9)])}{value}{r.choice(['', ' '])}" for name, value in headers]
        return method, "\r\n".join([*lines, "", ""]).encode("latin-1") + data, last

    def odd_case(self, name):
        return self.random.choice([str, str.lower, str.upper])(name)

    def header(self):
        r = self.random
        return r.choice([("Accept", "*/*"), ("Cookie", "a=b; c=d"), ("X-Empty", ""), ("X-Long", "v" * r.randrange(3000)), ("X-Latin", "caf\xe9"), ("If-None-Match", '"x"'),
                         ("X-Odd", "a, b;q=1, \"c\""), ("User-Agent", "differential/1"), ("X-Twice", str(r.randrange(9))), ("X-Twice", "again"), ("Range", "bytes=0-10"),
                         ("Content-Type", "text/plain; charset=utf-8"), ("x_underscore", "kept"), ("X!#$%&'*+-.^_`|~", "token characters")])

    def target(self):
        return self.random.choice(["/", "/a", "/a/b?c=d&e=%20f", "/%7Euser/x", "/a//b/", "/?", "/a?b?c", "/x;y=z", "/" + "p" * self.random.randrange(1500),
                                   "/%C3%A4", "/@:!$&'()*+,=", "/q?a=/?:@"])

    def body(self):
        r = self.random
        return bytes(r.getrandbits(8) for _ in range(r.choice([0, 1, 10, 1000]))) * r.choice([1, 1, 30])

    def pieces(self, body):
        while body:
            size = self.random.choice([1, 7, 100, 5000, 100000])
            yield body[:size]
            body = body[size:]

    def answer(self):
        r = self.random
        chosen = []
        if r.random() < 0.4:
            chosen.append(("X-Echo-Chunked", "1"))
        if r.random() < 0.15:
            chosen.append(("X-Echo-Size", str(r.choice([0, 1, 1000, 300_000]))))
        if r.random() < 0.15:
            chosen.append(("X-Echo-Status", str(r.choice([201, 204, 304, 404, 418, 500, 503]))))
        return chosen


def sent(answer):
    """What the application says it got, without what a proxy may touch."""
    if answer.headers and dict(answer.headers).get("content-type") == "application/json" and answer.body.startswith(b"{"):
        seen = answer.json()
        return seen["method"], seen["target"], [(k, v) for k, v in seen["headers"] if k not in ON_THE_WAY], seen["body"]
    return answer.body


def comparable(answer):
    return answer.status, [(k, v) for k, v in answer.headers if k not in ADDED_TO_ANSWERS], sent(answer)


class Client:
    """The same requests to the door and to the application, on connections of its own."""

    def __init__(self, node, application, tenant, seed):
        self.node, self.application, self.tenant = node, application, tenant
        self.generator = Generator(seed)
        self.door = self.plain = None

    def step(self):
        batch = [self.generator.request(self.node.token(self.tenant)) for _ in range(self.generator.random.choice([1, 1, 1, 3]))]
        if any(last for _, _, last in batch[:-1]):
            batch = batch[:next(n for n, (_, _, last) in enumerate(batch) if last) + 1]
        if self.door is None:
            self.door, self.plain = self.node.raw_http(), RawHttp(self.application.port)
        data = b"".join(one for _, one, _ in batch)
        for connection in (self.plain, self.door):
            connection.send(data)
        for method, one, last in batch:
            expected, answered = (connection.read_response(method) for connection in (self.plain, self.door))
            assert comparable(answered) == comparable(expected), one[:2000]
            if method != "HEAD" and answered.body.startswith(b"{") and answered.status == 200:
                assert dict(answered.json()["headers"])["x-tenant-slug"] == self.tenant
        if batch[-1][2]:
            assert self.door.is_closed_by_peer()
            self.close()

    def close(self):
        for connection in (self.door, self.plain):
            if connection:
                connection.close()
        self.door = self.plain = None


@pytest.mark.parametrize("seed", SEEDS)
def test_interleaved_requests_are_to_the_application_what_they_were(node, application, seed):
    clients = [Client(node, application, tenant, f"{seed} {n}") for n, tenant in enumerate(("acme", "globex", "acme"))]
    order = random.Random(seed)
    try:
        for _ in range(STEPS):
            order.choice(clients).step()
    finally:
        for client in clients:
            client.close()
