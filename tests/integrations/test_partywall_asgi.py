"""The ASGI middleware on its own: no door, no database, no Redis."""
import asyncio
import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "integrations" / "python"))
import partywall_asgi  # noqa: E402

CONTEXT = (b"x-partywall-context", b"pw1.payload.mac")


def run(application, headers, kind="http"):
    scope = {"type": kind, "headers": headers}
    asyncio.run(partywall_asgi.PartywallMiddleware(application)(scope, None, None))


def seen_by_handler(headers, kind="http"):
    """What current() gives inside the application."""
    seen = []

    async def application(scope, receive, send):
        try:
            seen.append(partywall_asgi.current())
        except LookupError:
            seen.append(None)

    run(application, headers, kind)
    assert len(seen) == 1
    return seen[0]


def test_the_handler_sees_the_context():
    assert seen_by_handler([(b"host", b"a"), CONTEXT]) == "pw1.payload.mac"
    assert seen_by_handler([CONTEXT], kind="websocket") == "pw1.payload.mac"


def test_no_header_no_context():
    assert seen_by_handler([]) is None
    assert seen_by_handler([(b"x-partywall-contexts", b"pw1.a.b")]) is None


def test_two_contexts_are_none():
    """The door adds exactly one: with two, one of them is not the door's."""
    assert seen_by_handler([CONTEXT, (b"x-partywall-context", b"pw1.other.mac")]) is None


def test_lifespan_has_no_headers():
    seen = []

    async def application(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(partywall_asgi.PartywallMiddleware(application)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


def test_the_context_ends_with_the_request_even_if_that_fails():
    async def failing(scope, receive, send):
        raise RuntimeError("handler")

    async def two_requests():
        with pytest.raises(RuntimeError):
            await partywall_asgi.PartywallMiddleware(failing)({"type": "http", "headers": [CONTEXT]}, None, None)
        with pytest.raises(LookupError):
            partywall_asgi.current()

    asyncio.run(two_requests())


def test_requests_that_run_beside_each_other_do_not_mix():
    async def application(scope, receive, send):
        mine = dict(scope["headers"])[b"x-partywall-context"].decode()
        for _ in range(20):
            await asyncio.sleep(0)
            assert partywall_asgi.current() == mine
            assert await asyncio.to_thread(partywall_asgi.current) == mine

    async def both():
        middleware = partywall_asgi.PartywallMiddleware(application)
        await asyncio.gather(*(
            middleware({"type": "http", "headers": [(b"x-partywall-context", b"pw1.%d.mac" % n)]}, None, None)
            for n in range(10)))

    asyncio.run(both())


class FakeConnection:
    """Records what a psycopg connection would be asked to do."""

    def __init__(self):
        self.log = []

    @contextlib.contextmanager
    def transaction(self):
        self.log.append("BEGIN")
        try:
            yield
        except BaseException:
            self.log.append("ROLLBACK")
            raise
        self.log.append("COMMIT")

    def execute(self, statement):
        self.log.append(statement if isinstance(statement, str) else statement.as_string(None))


def in_request(context, work):
    async def application(scope, receive, send):
        work()

    run(application, [(b"x-partywall-context", context)])


def test_a_transaction_starts_with_the_context():
    connection = FakeConnection()

    def work():
        with partywall_asgi.transaction(connection) as db:
            db.execute("SELECT 1")

    in_request(b"pw1.payload.mac", work)
    assert connection.log == ["BEGIN", "SET LOCAL app.current_tenant = 'pw1.payload.mac'", "SELECT 1", "COMMIT"]


def test_a_header_cannot_add_sql():
    """Who reaches the application around the door may send anything; it stays one literal."""
    connection = FakeConnection()

    def work():
        with partywall_asgi.transaction(connection):
            pass

    in_request(b"x'; DROP TABLE products; --", work)
    assert connection.log[1] == "SET LOCAL app.current_tenant = 'x''; DROP TABLE products; --'"


def test_without_a_context_nothing_is_asked_of_the_database():
    connection = FakeConnection()
    with pytest.raises(LookupError):
        with partywall_asgi.transaction(connection) as db:
            db.execute("SELECT 1")
    assert connection.log == []


def test_each_cache_command_carries_the_context(monkeypatch):
    sent = []

    def execute(self, raise_on_error=True):
        sent.append([command[0] for command in self.command_stack])
        return [True, b"value"]

    monkeypatch.setattr("redis.client.Pipeline.execute", execute)
    client = partywall_asgi.TenantRedis(host="partywall.invalid")
    in_request(b"pw1.payload.mac", lambda: sent.append(client.get("product:1")))
    assert sent == [[("AUTH", "app", "pw1.payload.mac"), ("GET", "product:1")], b"value"]


def test_without_a_context_nothing_is_asked_of_the_cache():
    with pytest.raises(LookupError):
        partywall_asgi.TenantRedis(host="partywall.invalid").get("product:1")
