"""What every client does, and how it says what it saw: one JSON object a line."""
import asyncio
import datetime
import decimal
import json
import os
import sys
import uuid

APPLICATION = sys.argv[1] == "application"
CONTEXTS = {"acme": os.environ["ACME"], "globex": os.environ["GLOBEX"]}
OTHER_TENANT = uuid.UUID("bbbbbbbb-0000-4000-8000-000000000002")
TEXT = "žluť 'x' \"y\" \\ 😀"
LARGE = "SELECT n, md5(n::text) AS hash FROM generate_series(1, 100000) n"
READ = "SELECT i, t, n, at, raw, u, doc, tags, numbers, yes FROM samples ORDER BY id"
STORED = ("SELECT concat_ws('|', id, i, t, n, extract(epoch FROM at), encode(raw, 'hex'), u, doc, tags, numbers, yes) "
          "FROM samples ORDER BY id")
COLUMNS = ("id", "i", "t", "n", "at", "raw", "u", "doc", "tags", "numbers", "yes")
NULLS = (2,) + (None,) * 10


def sample(document):
    """The first row; `document` makes a value for jsonb of a Python object."""
    moment = datetime.datetime(2026, 2, 28, 23, 59, 59, 123000, tzinfo=datetime.timezone.utc)
    return (1, -2147483648, TEXT, decimal.Decimal("12345678901234567890.0123456789"), moment, b"\x00\x01'\\\xff",
            uuid.UUID("0f0e0d0c-0b0a-4908-8706-050403020100"), document({"a": [1, None, '"']}), ["a", "b,c", '"', "ä", None],
            [1, -2, 3], True)


def login(tenant):
    return "app" if APPLICATION else tenant


def enter(tenant):
    """The statement that begins a transaction's work for a tenant; none with the tenant's own login."""
    return [f"SET LOCAL app.current_tenant = '{CONTEXTS[tenant]}'"] if APPLICATION else []


def say(step, saw):
    print(json.dumps({"step": step, "saw": saw}, default=lambda value: value.hex() if isinstance(value, bytes) else str(value)), flush=True)


def rows(values):
    """Rows of a driver's own types, as lists."""
    return [[bytes(value) if isinstance(value, memoryview) else value for value in row] for row in values]


def sums(numbers):
    count = total = 0
    for number in numbers:
        count += 1
        total += number
    return {"rows": count, "sum": total}


async def say_pool(pool_of, borrow, notes):
    """A hundred transactions at once by a driver's own pools: what each tenant's saw. `borrow(pool)`: a context manager of a
    connection; with an application's login both tenants share a pool."""
    pools = {"acme": await pool_of("acme")}
    pools["globex"] = pools["acme"] if APPLICATION else await pool_of("globex")

    async def read(tenant):
        async with borrow(pools[tenant]) as connection:
            return tenant, await notes(connection, tenant)

    found = {"acme": set(), "globex": set()}
    for tenant, bodies in await asyncio.gather(*(read(tenant) for tenant in ["acme", "globex"] * 50)):
        found[tenant].update(bodies)
    for one in set(pools.values()):
        await one.close()
    say("pool", {tenant: sorted(bodies) for tenant, bodies in found.items()})


async def say_switches(notes, refused):
    """One connection of an application for one tenant after the other; then for none, which `refused` says the SQLSTATE of."""
    switched = []
    for number in range(6):
        switched += await notes(("acme", "globex")[number % 2])
    say("switched", switched)
    say("nobody", await refused)
