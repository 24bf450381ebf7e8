"""The libraries that applications use, unmodified."""
import asyncio
import subprocess

import asyncpg
import psycopg
import psycopg2
import pytest

from sql_stack import PASSWORD


def test_psycopg_prepared_statements(stack):
    with stack.connect(prepare_threshold=1) as connection:
        for number in range(20):
            assert connection.execute("SELECT %s::int + 1", [number]).fetchone() == (number + 1,)
            with connection.transaction():
                assert connection.execute("SELECT body FROM notes WHERE id > %s", [0]).fetchall() == [("of acme",)]


def test_psycopg_forgets_prepared_statements(stack):
    with stack.connect(prepare_threshold=1) as connection:
        connection.prepared_max = 3  # then it sends DEALLOCATE for each statement it forgets
        for round_ in range(3):
            for number in range(8):
                assert connection.execute(f"SELECT %s::int + {number}", [round_]).fetchone() == (round_ + number,)


def test_psycopg_pipeline(stack):
    with stack.connect(autocommit=False) as connection:
        with connection.pipeline():
            cursors = [connection.execute("SELECT %s::int", [number]) for number in range(50)]
            assert [cursor.fetchone() for cursor in cursors] == [(number,) for number in range(50)]
        connection.rollback()


def test_psycopg_pipeline_of_an_application(stack):
    with stack.connect("app") as connection, connection.pipeline():
        with connection.transaction():
            connection.execute("SELECT set_config('app.current_tenant', %s, true)", [stack.context("globex")])
            cursor = connection.execute("SELECT body FROM notes")
        assert cursor.fetchall() == [("of globex",)]


def test_error_in_a_psycopg_pipeline(stack):
    with stack.connect() as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            with connection.pipeline():
                connection.execute("SELECT 1")
                connection.execute("SELECT 1/%s", [0])
                connection.execute("SELECT 2")
        assert connection.execute("SELECT 3").fetchone() == (3,)


def test_psycopg_copy(stack):
    with stack.connect("initech", autocommit=False) as connection:
        with connection.cursor().copy("COPY notes (body) FROM STDIN") as copy:
            for _ in range(3000):
                copy.write_row(("x" * 1000,))
        with connection.cursor().copy("COPY (SELECT body FROM notes) TO STDOUT") as copy:
            assert sum(1 for _ in copy.rows()) == 3000
        connection.rollback()


def test_psycopg_server_side_cursor(stack):
    with stack.connect(autocommit=False) as connection:
        with connection.cursor("named") as cursor:
            cursor.itersize = 100
            cursor.execute("SELECT generate_series(1, 1000)")
            assert sum(row[0] for row in cursor) == 500500
        connection.commit()


def test_large_values_both_ways(stack):
    with stack.connect() as connection:
        text = "ä" * 3_000_000
        assert connection.execute("SELECT %s::text", [text]).fetchone() == (text,)
        assert connection.execute(f"SELECT length('{text}')").fetchone() == (3_000_000,)
        assert len(connection.execute("SELECT repeat('x', 1000) FROM generate_series(1, 20000)").fetchall()) == 20000


def test_psycopg2(stack):
    connection = psycopg2.connect(stack.dsn("acme"))
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT body FROM notes WHERE id > %s", [0])
        assert cursor.fetchall() == [("of acme",)]
    connection.close()
    connection = psycopg2.connect(stack.dsn("app"))
    with connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL app.current_tenant = %s", [stack.context("acme")])
        cursor.execute("SELECT body FROM notes")
        assert cursor.fetchall() == [("of acme",)]
    with connection, connection.cursor() as cursor, pytest.raises(psycopg2.errors.InvalidAuthorizationSpecification):
        cursor.execute("SELECT body FROM notes")
    connection.close()


def test_asyncpg(stack):
    async def run():
        connection = await asyncpg.connect(host=stack.host, port=stack.port, user="acme", password=PASSWORD,
                                           database=stack.database)
        assert await connection.fetchval("SELECT body FROM notes WHERE id > $1", 0) == "of acme"
        async with connection.transaction():
            statement = await connection.prepare("SELECT $1::int + 1")
            assert [await statement.fetchval(number) for number in range(10)] == list(range(1, 11))
            async for row in connection.cursor("SELECT generate_series(1, 200) AS n", prefetch=7):
                assert row["n"] <= 200
        assert await statement.fetchval(1) == 2
        await connection.executemany("SELECT $1::int", [(number,) for number in range(100)])
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.fetch("SELECT * FROM nowhere")
        await connection.close()

    asyncio.run(run())


def test_asyncpg_pool_of_an_application(stack):
    contexts = {tenant: stack.context(tenant) for tenant in ("acme", "globex")}

    async def body_of(pool, tenant):
        async with pool.acquire() as connection, connection.transaction():
            await connection.fetchval("SELECT set_config('app.current_tenant', $1, true)", contexts[tenant])
            return await connection.fetchval("SELECT body FROM notes WHERE id > $1", 0)

    async def run():
        async with asyncpg.create_pool(host=stack.host, port=stack.port, user="app", password=PASSWORD, min_size=4,
                                       max_size=4, database=stack.database) as pool:
            tenants = ["acme", "globex"] * 50
            assert await asyncio.gather(*(body_of(pool, tenant) for tenant in tenants)) == [f"of {tenant}" for tenant in tenants]

    asyncio.run(run())


def test_asyncpg_pool_of_a_tenant(stack):
    async def run():
        async with asyncpg.create_pool(host=stack.host, port=stack.port, user="acme", password=PASSWORD, min_size=3,
                                       max_size=3, database=stack.database) as pool:
            results = await asyncio.gather(*(pool.fetchval("SELECT body FROM notes") for _ in range(100)))
            assert set(results) == {"of acme"}

    asyncio.run(run())


@pytest.mark.parametrize("user", ["acme", "app"])
@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(stack, mode, user, tmp_path):
    script = tmp_path / "script.sql"
    enter = f"SET LOCAL app.current_tenant = '{stack.context('acme')}';\n" if user == "app" else ""
    # Divides by zero if it sees anything but the one row of its tenant.
    script.write_text(f"\\set n random(1, 100)\nBEGIN;\n{enter}SELECT 1 / (count(*) = 1 AND min(body) = 'of acme')::int FROM notes WHERE id > :n - 101;\n"
                      "SELECT :n + 1;\nCOMMIT;\n" + ("SELECT :n;\n" if user == "acme" else ""))
    # A thread each: pgbench prepares synchronously, and would wait for a connection while its other
    # clients keep theirs in a transaction.
    done = subprocess.run(["pgbench", "-n", "-c", "12", "-j", "12", "-t", "50", "-M", mode, "-f", str(script), stack.dsn(user)],
                          text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "number of transactions actually processed: 600/600" in done.stdout
    assert "number of failed transactions: 0" in done.stdout
