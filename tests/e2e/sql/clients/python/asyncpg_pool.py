"""asyncpg: connections, its statement cache, cursor, COPY and pool."""
import asyncio
import json

import asyncpg

from script import APPLICATION, COLUMNS, LARGE, NULLS, OTHER_TENANT, READ, STORED, TEXT, enter, login, rows, sample, say, say_pool, say_switches, sums


class Undo(Exception):
    pass


class Transaction:
    def __init__(self, connection, tenant="acme"):
        self.connection, self.tenant, self.inner = connection, tenant, connection.transaction()

    async def __aenter__(self):
        await self.inner.start()
        for statement in enter(self.tenant):
            await self.connection.execute(statement)

    async def __aexit__(self, kind, *_):
        await (self.inner.rollback() if kind else self.inner.commit())
        return kind is Undo


async def column(connection, statement, *parameters):
    return [row[0] for row in await connection.fetch(statement, *parameters)]


async def sqlstate(attempt):
    try:
        await attempt
    except asyncpg.PostgresError as error:
        return error.sqlstate
    return "no error"


async def notes(connection, tenant="acme"):
    async with Transaction(connection, tenant):
        return await column(connection, "SELECT body FROM notes WHERE id > $1", 0)


async def basics(a, second, b):
    async with Transaction(a):
        saw = list(await a.fetchrow("SELECT 1, 'ä'"))
        say("simple", saw + [await column(a, "SELECT body FROM notes")])
        say("parameters", list(await a.fetchrow("SELECT $1::int, $2::text", 41, TEXT)))
    async with Transaction(a):
        again = await a.prepare("SELECT $1::int + 1, body, pg_backend_pid() FROM notes")
    seen, pids, held = [], set(), None
    for number in range(20):
        if number % 4 == 0:
            held = Transaction(second)
            await held.__aenter__()
            await second.execute("SELECT 1")
        if number % 4 == 3:
            await held.__aexit__(None)
        await notes(b, "globex")
        async with Transaction(a):
            row = await again.fetchrow(number)
        seen.append(list(row)[:2])
        pids.add(row[2])
    say("prepared", seen)
    say("backends", len(pids))


async def types(a):
    insert = f"INSERT INTO samples ({', '.join(COLUMNS)}) VALUES ({', '.join(f'${n + 1}' for n in range(len(COLUMNS)))})"
    async with Transaction(a):
        await a.executemany(insert, [sample(json.dumps), NULLS])
    async with Transaction(a):
        say("stored", await column(a, STORED))
        say("types", rows(await a.fetch(READ)))


async def failures(a):
    counts = []
    async with Transaction(a):
        await a.execute("DELETE FROM samples WHERE id = $1", 1)
        counts += await column(a, "SELECT count(*) FROM samples")
        raise Undo
    async with Transaction(a):
        say("rollback", counts + await column(a, "SELECT count(*) FROM samples"))
    errors = []
    async with Transaction(a):
        errors += [await sqlstate(a.execute("INSERT INTO samples (id) VALUES ($1)", 1)), await sqlstate(a.execute("SELECT 1"))]
        raise Undo
    say("error", errors + [await notes(a)])

    async def divide():
        async with a.transaction():
            await a.fetch("SELECT 1/$1::int", 0)
    async with Transaction(a):
        say("savepoint", [await sqlstate(divide())] + await column(a, "SELECT body FROM notes"))


async def large(a):
    async with Transaction(a):
        say("large", sums(await column(a, LARGE)))
        say("stream", sums([row["n"] async for row in a.cursor(LARGE, prefetch=1000)]))


async def timed_out(a):
    """With a time-out of its own asyncpg cancels."""
    state = "no error"
    try:
        async with Transaction(a):
            await a.execute("SELECT pg_sleep(30)", timeout=0.3)
    except asyncio.TimeoutError:
        state = "57014"
    say("timed out", [state, await notes(a)])


async def copy(a):
    def write(first, count):
        return a.copy_records_to_table("imports", columns=["id", "body"], records=[(n, "ä\tb") for n in range(first, first + count)])

    lines = bytearray()

    async def collect(data):
        lines.extend(data)
    async with Transaction(a):
        await write(1, 1000)
        await a.copy_from_query("SELECT id, body FROM imports", output=collect)
        numbers = [int(line.split(b"\t")[0]) for line in lines.splitlines()]
        stored = await column(a, "SELECT count(*) FROM imports WHERE body = $1", "ä\tb")
        say("copied", {"in": stored[0], "out": len(numbers), "sum": sum(numbers)})

    async def refused():
        async with Transaction(a):
            await write(1000, 1)
    say("copy refused", await sqlstate(refused()))


async def neighbour(a):
    async with Transaction(a):
        seen = await column(a, "SELECT body FROM notes WHERE body LIKE $1", "%globex%")
        changed = await a.execute("UPDATE notes SET body = 'taken' WHERE body LIKE $1", "%globex%")

    async def plant():
        async with Transaction(a):
            await a.execute("INSERT INTO notes (tenant_id, body) VALUES ($1, 'planted')", OTHER_TENANT)
    say("neighbour", [seen, int(changed.split()[1]), await sqlstate(plant())])


async def main():
    a, second, b = [await asyncpg.connect(user=login(tenant)) for tenant in ("acme", "acme", "globex")]
    await basics(a, second, b)
    await types(a)
    await failures(a)
    await large(a)
    await timed_out(a)
    await copy(a)
    await neighbour(a)
    if APPLICATION:
        nobody = sqlstate(a.fetch("SELECT body FROM notes WHERE id > $1", 0))
        await say_switches(lambda tenant: notes(a, tenant), nobody)
    for connection in (a, second, b):
        await connection.close()
    await say_pool(lambda tenant: asyncpg.create_pool(user=login(tenant), min_size=4, max_size=4), lambda pool: pool.acquire(), notes)


asyncio.run(main())
