"""Carries the tenant's context through an ASGI application (FastAPI, Starlette, Django, Quart).

The http door adds X-Partywall-Context to each request; the sql and cache doors want it back. The
application only passes it on: it can neither read nor forge it, and names no tenant anywhere.
"""
import contextlib
import contextvars

import redis
from psycopg import sql

_context = contextvars.ContextVar("partywall_context")


class PartywallMiddleware:
    """app.add_middleware(PartywallMiddleware)"""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        values = [v for k, v in scope.get("headers", ()) if k == b"x-partywall-context"]
        if len(values) != 1:  # none: a health check; its handler must do without a tenant
            return await self.app(scope, receive, send)
        token = _context.set(values[0].decode("ascii"))
        try:
            await self.app(scope, receive, send)
        finally:
            _context.reset(token)


@contextlib.contextmanager
def transaction(connection):
    """A transaction of the request's tenant on a psycopg connection to the sql door."""
    begin = sql.SQL("SET LOCAL app.current_tenant = {}").format(current())
    with connection.transaction():
        connection.execute(begin)
        yield connection


class TenantRedis(redis.Redis):
    """A client of the cache door: each command goes out together with the request's context."""

    login = "app"  # the application's own, of `logins.cache` in the platform file

    def execute_command(self, *args, **options):
        with self.pipeline(transaction=False) as pipeline:
            pipeline.execute_command("AUTH", self.login, current())
            pipeline.execute_command(*args, **options)
            return pipeline.execute()[1]


def current():
    """The request's context token; LookupError if the request did not come through the http door."""
    return _context.get()
