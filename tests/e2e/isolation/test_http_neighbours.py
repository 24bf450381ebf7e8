"""Connections shared by tenants, and one tenant's load beside another's."""
import contextlib
import random
import threading
import time

import pytest

from support.raw_http import bearer, request


def test_pipelined_requests_of_two_tenants(lab, application):
    """One client connection, tokens in turn: each request is its own tenant's, answers come in order."""
    application.forget()
    order = [random.Random(7).choice(["acme", "globex"]) for _ in range(60)]
    with lab.raw_http() as connection:
        connection.send(b"".join(request("GET", f"/{n}", [bearer(lab.token(who)), ("X-Echo-Chunked", "1") if n % 3 else ("X-Plain", "1")])
                                 for n, who in enumerate(order)))
        answers = [connection.read_response() for _ in order]
    for number, (who, answer) in enumerate(zip(order, answers)):
        seen = answer.json()
        assert seen["target"] == f"/{number}"
        assert dict(seen["headers"])["x-tenant-slug"] == who and dict(seen["headers"])["x-tenant-id"] == lab.tenant_id(who)


def test_the_token_of_one_request_is_not_the_next_ones(lab, application):
    """A connection has no tenant: a request without a token is refused, whoever asked before."""
    application.forget()
    with lab.raw_http() as connection:
        connection.send(request("GET", "/a", [bearer(lab.token("globex"))]) + request("GET", "/b") + request("GET", "/c", [bearer("x")]))
        assert [connection.read_response().status for _ in range(3)] == [200, 401, 401]
    assert [one.target for one in application.requests()] == ["/a"]


class Visitor(threading.Thread):
    """Sends requests that say whose they are, often leaving before the answer or making the application break off."""

    def __init__(self, lab, tenant, seed, until):
        super().__init__(daemon=True)
        self.lab, self.tenant, self.until = lab, tenant, until
        self.random = random.Random(f"{tenant} {seed}")
        self.answers, self.abandoned, self.foreign = 0, 0, []

    def run(self):
        try:
            while time.monotonic() < self.until and not self.foreign:
                with contextlib.suppress(EOFError, ConnectionError):
                    self.one_connection()
        except Exception as problem:  # noqa: BLE001: the test reports it
            self.foreign.append(repr(problem))

    def one_connection(self):
        with self.lab.raw_http() as connection:
            for _ in range(self.random.randint(1, 5)):
                mark = f"/{self.tenant}/{self.random.getrandbits(40):x}"
                headers = [bearer(self.lab.token(self.tenant)), ("X-Pad", "p" * self.random.randrange(3000))]
                kind = self.random.choice(["whole", "whole", "whole", "leave", "leave late", "break off"])
                if self.random.random() < 0.4:
                    headers.append(("X-Echo-Chunked", "1"))
                if kind == "break off":
                    headers.append(("X-Echo-Stop-After", self.random.randrange(2000)))
                body = self.tenant.encode() * self.random.randrange(300) if self.random.random() < 0.5 else None
                connection.send(request("POST" if body is not None else "GET", mark, headers, body))
                if kind == "leave":
                    return self.abandon(connection)
                if kind == "leave late":
                    connection.receive()
                    return self.abandon(connection)
                answer = connection.read_response()
                if answer.status == 200:
                    self.check(answer.json(), mark, body)

    def abandon(self, connection):
        self.abandoned += 1
        if self.random.random() < 0.5:
            connection.abort()

    def check(self, seen, mark, body):
        self.answers += 1
        headers = dict(seen["headers"])
        if (seen["target"], headers["x-tenant-slug"], seen["body"]) != (mark, self.tenant, (body or b"").decode()):
            self.foreign.append(f"{self.tenant} asked {mark} and received {seen!r:.200}")


def test_abandoned_requests_and_broken_answers_reach_nobody(lab, application):
    application.forget()
    until = time.monotonic() + 3
    visitors = [Visitor(lab, tenant, seed, until) for tenant in ("acme", "globex") for seed in range(3)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join(30)
    assert [found for visitor in visitors for found in visitor.foreign] == []
    assert sum(visitor.answers for visitor in visitors) > 100 and sum(visitor.abandoned for visitor in visitors) > 20
    connections = [one.connection for one in application.requests()]
    assert len(set(connections)) < len(connections), "the control: connections to the application were used again"


def test_concurrency_of_one_tenant_is_not_the_neighbours(lab, application):
    """acme (free) may have 10 requests under way; more are refused, and globex does not notice."""
    application.forget()
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(lab.raw_http()) for _ in range(10)]
        for connection in held:
            connection.send(request("GET", "/held", [bearer(lab.token("acme")), ("X-Echo-Wait", "10")]))
        deadline = time.monotonic() + 5
        while application.waiting < 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert application.waiting == 10
        for _ in range(5):
            refused = stack.enter_context(lab.raw_http()).request("GET", "/more", [bearer(lab.token("acme"))])
            assert refused.status in (429, 503) and int(refused.header("retry-after")) >= 1
        for _ in range(5):
            started = time.monotonic()
            answer = stack.enter_context(lab.raw_http()).request("GET", "/", [bearer(lab.token("globex"))])
            assert answer.status == 200 and time.monotonic() - started < 2
        application.release()
        assert [connection.read_response().status for connection in held] == [200] * 10
    assert "/more" not in [one.target for one in application.requests()]
    with lab.raw_http() as connection:
        assert connection.request("GET", "/", [bearer(lab.token("acme"))]).status == 200, "the units came back"


def test_rate_of_one_tenant_is_not_the_neighbours(stack):
    """acme (free: 100 a minute, burst 10) runs over its rate on many connections; globex has every request answered."""
    statuses = {"acme": [], "globex": []}

    def ask(tenant, count):
        with stack.raw_http() as connection:
            for _ in range(count):
                answer = connection.request("GET", "/api/products?limit=1", [bearer(stack.token(tenant))])
                statuses[tenant].append((answer.status, answer.header("retry-after")))

    threads = [threading.Thread(target=ask, args=("acme", 25)) for _ in range(4)] + [threading.Thread(target=ask, args=("globex", 40))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [status for status, _ in statuses["globex"]] == [200] * 40
    refused = [retry for status, retry in statuses["acme"] if status == 429]
    assert len(refused) >= 60 and all(int(retry) >= 1 for retry in refused)


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/readyz"])
def test_the_doors_own_pages_are_not_at_the_door(lab, path):
    """What the admin port says is for operators: at the http door it is the application's path, and needs a token."""
    with lab.raw_http() as connection:
        assert connection.request("GET", path).status == 401


def test_problems_say_nothing_of_neighbours(lab):
    """What acme is told when it is refused names no other tenant, no instance and no cell."""
    with lab.raw_http() as connection:
        answers = [connection.request("GET", "/", [bearer("x")]), connection.request("GET", "/")]
    for answer in answers:
        text = repr(answer.headers) + answer.body.decode()
        assert "globex" not in text and "127.0.0.1" not in text and lab.cell_name not in answer.body.decode().split()
