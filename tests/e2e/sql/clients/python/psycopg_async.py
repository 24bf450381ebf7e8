"""psycopg 3's asyncio side: connections, its pipeline mode, COPY, a server-side cursor, its pool of connections."""
import asyncio

import psycopg
import psycopg_pool
from psycopg.types.json import Jsonb

from script import APPLICATION, COLUMNS, LARGE, NULLS, OTHER_TENANT, READ, STORED, TEXT, enter, login, rows, sample, say, say_pool, say_switches, sums


async def connect(tenant):
    return await psycopg.AsyncConnection.connect(user=login(tenant), autocommit=True, prepare_threshold=1)


class Transaction:
    def __init__(self, connection, tenant="acme", undo=False):
        self.connection, self.tenant, self.inner = connection, tenant, connection.transaction(force_rollback=undo)

    async def __aenter__(self):
        await self.inner.__aenter__()
        for statement in enter(self.tenant):
            await self.connection.execute(statement)

    async def __aexit__(self, *error):
        return await self.inner.__aexit__(*error)


async def column(connection, statement, parameters=None):
    return [row[0] async for row in await connection.execute(statement, parameters)]


async def sqlstate(attempt):
    try:
        await attempt
    except psycopg.Error as error:
        return error.sqlstate
    return "no error"


async def notes(connection, tenant="acme"):
    async with Transaction(connection, tenant):
        return await column(connection, "SELECT body FROM notes WHERE id > %s", [0])


async def basics(a, second, b):
    async with Transaction(a):
        saw = list(await (await a.execute("SELECT 1, 'ä'")).fetchone())
        say("simple", saw + [await column(a, "SELECT body FROM notes")])
        say("parameters", await (await a.execute("SELECT %s::int, %s::text", [41, TEXT])).fetchone())
    seen, pids, held = [], set(), None
    for number in range(20):
        if number % 4 == 0:
            held = Transaction(second)
            await held.__aenter__()
            await second.execute("SELECT 1")
        if number % 4 == 3:
            await held.__aexit__(None, None, None)
        await notes(b, "globex")
        async with Transaction(a):
            row = await (await a.execute("SELECT %s::int + 1, body, pg_backend_pid() FROM notes", [number], prepare=True)).fetchone()
        seen.append(row[:2])
        pids.add(row[2])
    say("prepared", seen)
    say("backends", len(pids))


async def types(a):
    insert = f"INSERT INTO samples ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"
    async with Transaction(a), a.cursor() as cursor:
        await cursor.executemany(insert, [sample(Jsonb), NULLS])
    async with Transaction(a):
        say("stored", await column(a, STORED))
        say("types", rows(await (await a.execute(READ)).fetchall()))


async def failures(a):
    async with Transaction(a, undo=True):
        await a.execute("DELETE FROM samples WHERE id = %s", [1])
        counts = await column(a, "SELECT count(*) FROM samples")
    async with Transaction(a):
        say("rollback", counts + await column(a, "SELECT count(*) FROM samples"))
    async with Transaction(a, undo=True):
        errors = [await sqlstate(a.execute("INSERT INTO samples (id) VALUES (%s)", [1])), await sqlstate(a.execute("SELECT 1"))]
    say("error", errors + [await notes(a)])

    async def divide():
        async with a.transaction():
            await a.execute("SELECT 1/%s", [0])
    async with Transaction(a):
        say("savepoint", [await sqlstate(divide())] + await column(a, "SELECT body FROM notes"))


async def large(a):
    async with Transaction(a):
        say("large", sums(await column(a, LARGE)))
        async with a.cursor("large") as cursor:
            cursor.itersize = 1000
            await cursor.execute(LARGE)
            say("stream", sums([row[0] async for row in cursor]))


async def cancelled(a):
    async def sleep():
        async with Transaction(a):
            asyncio.get_running_loop().call_later(0.2, a.cancel)
            await a.execute("SELECT pg_sleep(30)")
    state = await sqlstate(sleep())
    say("cancelled", [state, await notes(a)])


async def copy(a):
    async def write(first, count):
        async with Transaction(a), a.cursor() as cursor, cursor.copy("COPY imports (id, body) FROM STDIN") as out:
            for number in range(first, first + count):
                await out.write_row((number, "ä\tb"))

    await write(1, 1000)
    async with Transaction(a), a.cursor() as cursor:
        async with cursor.copy("COPY (SELECT id, body FROM imports) TO STDOUT") as answer:
            numbers = [int(row[0]) async for row in answer.rows()]
        stored = await column(a, "SELECT count(*) FROM imports WHERE body = 'ä\tb'")
        say("copied", {"in": stored[0], "out": len(numbers), "sum": sum(numbers)})
    say("copy refused", await sqlstate(write(1000, 1)))


async def pipelined(a):
    async with a.pipeline(), Transaction(a):
        cursors = [await a.execute("SELECT %s::int", [number]) for number in range(50)]
        numbers = [(await cursor.fetchone())[0] for cursor in cursors]

    async def divide():
        async with a.pipeline(), Transaction(a):
            await a.execute("SELECT 1")
            await a.execute("SELECT 1/%s", [0])
            await a.execute("SELECT 2")
    state = await sqlstate(divide())
    say("pipelined", [numbers, state, await notes(a)])


async def neighbour(a):
    async with Transaction(a):
        seen = await column(a, "SELECT body FROM notes WHERE body LIKE '%globex%'")
        changed = await a.execute("UPDATE notes SET body = 'taken' WHERE body LIKE '%globex%'")

    async def plant():
        async with Transaction(a):
            await a.execute("INSERT INTO notes (tenant_id, body) VALUES (%s, 'planted')", [OTHER_TENANT])
    say("neighbour", [seen, changed.rowcount, await sqlstate(plant())])


async def pool_of(tenant):
    return psycopg_pool.AsyncConnectionPool(kwargs={"user": login(tenant), "autocommit": True}, min_size=4, max_size=4)


async def main():
    a, second, b = [await connect(tenant) for tenant in ("acme", "acme", "globex")]
    await basics(a, second, b)
    await types(a)
    await failures(a)
    await large(a)
    await cancelled(a)
    await copy(a)
    await pipelined(a)
    await neighbour(a)
    if APPLICATION:
        nobody = sqlstate(a.execute("SELECT body FROM notes WHERE id > %s", [0]))
        await say_switches(lambda tenant: notes(a, tenant), nobody)
    for connection in (a, second, b):
        await connection.close()
    await say_pool(pool_of, lambda pool: pool.connection(), notes)


asyncio.run(main())
