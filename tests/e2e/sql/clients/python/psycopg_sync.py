"""psycopg 3: connections, its pipeline mode, COPY, a server-side cursor, its pool of connections."""
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import psycopg_pool
from psycopg.types.json import Jsonb

from script import (APPLICATION, COLUMNS, LARGE, NULLS, OTHER_TENANT, READ, STORED, TEXT, enter, login, rows, sample, say, sums)


def connect(tenant):
    return psycopg.connect(user=login(tenant), autocommit=True, prepare_threshold=1)


class Transaction:
    def __init__(self, connection, tenant="acme", undo=False):
        self.connection, self.tenant, self.inner = connection, tenant, connection.transaction(force_rollback=undo)

    def __enter__(self):
        self.inner.__enter__()
        for statement in enter(self.tenant):
            self.connection.execute(statement)
        return self.connection

    def __exit__(self, *error):
        return self.inner.__exit__(*error)


def column(connection, statement, parameters=None):
    return [row[0] for row in connection.execute(statement, parameters)]


def sqlstate(attempt):
    try:
        attempt()
    except psycopg.Error as error:
        return error.sqlstate
    return "no error"


def notes(connection):
    with Transaction(connection):
        return column(connection, "SELECT body FROM notes")


def basics(a, second, b):
    with Transaction(a):
        saw = list(a.execute("SELECT 1, 'ä'").fetchone())
        say("simple", saw + [column(a, "SELECT body FROM notes")])
        say("parameters", a.execute("SELECT %s::int, %s::text", [41, TEXT]).fetchone())
    seen, pids, held = [], set(), None
    for number in range(20):
        if number % 4 == 0:
            held = Transaction(second)
            with_held = held.__enter__()
            with_held.execute("SELECT 1")
        if number % 4 == 3:
            held.__exit__(None, None, None)
        with Transaction(b, "globex"):
            b.execute("SELECT 1")
        with Transaction(a):
            row = a.execute("SELECT %s::int + 1, body, pg_backend_pid() FROM notes", [number], prepare=True).fetchone()
        seen.append(row[:2])
        pids.add(row[2])
    say("prepared", seen)
    say("backends", len(pids))


def types(a):
    insert = f"INSERT INTO samples ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"
    with Transaction(a):
        a.execute(insert, sample(Jsonb))
    with Transaction(a):
        a.execute(insert, NULLS)
    with Transaction(a):
        say("stored", column(a, STORED))
        say("types", rows(a.execute(READ).fetchall()) + rows(a.cursor(binary=True).execute(READ).fetchall()))


def failures(a):
    with Transaction(a, undo=True):
        a.execute("DELETE FROM samples WHERE id = %s", [1])
        counts = column(a, "SELECT count(*) FROM samples")
    with Transaction(a):
        say("rollback", counts + column(a, "SELECT count(*) FROM samples"))
    with Transaction(a, undo=True):
        errors = [sqlstate(lambda: a.execute("INSERT INTO samples (id) VALUES (%s)", [1])), sqlstate(lambda: a.execute("SELECT 1"))]
    say("error", errors + [notes(a)])
    with Transaction(a):
        def divide():
            with a.transaction():
                a.execute("SELECT 1/%s", [0])
        say("savepoint", [sqlstate(divide)] + column(a, "SELECT body FROM notes"))


def large(a):
    with Transaction(a):
        say("large", sums(column(a, LARGE)))
    with Transaction(a), a.cursor("large") as cursor:
        cursor.itersize = 1000
        say("stream", sums(row[0] for row in cursor.execute(LARGE)))


def cancelled(a):
    def sleep():
        with Transaction(a):
            threading.Timer(0.2, a.cancel).start()
            a.execute("SELECT pg_sleep(30)")
    state = sqlstate(sleep)
    say("cancelled", [state, notes(a)])


def copy(a):
    def write(first, count):
        with a.cursor().copy("COPY imports (id, body) FROM STDIN (FORMAT binary)") as out:
            out.set_types(["int4", "text"])
            for number in range(first, first + count):
                out.write_row((number, "ä\tb"))

    with Transaction(a):
        write(1, 1000)
        with a.cursor().copy("COPY (SELECT id, body FROM imports) TO STDOUT") as answer:
            numbers = [int(row[0]) for row in answer.rows()]
        say("copied", {"in": column(a, "SELECT count(*) FROM imports WHERE body = 'ä\tb'")[0], "out": len(numbers), "sum": sum(numbers)})

    def refused():
        with Transaction(a):
            write(1000, 1)
    say("copy refused", sqlstate(refused))


def pipelined(a):
    with a.pipeline(), Transaction(a):
        cursors = [a.execute("SELECT %s::int", [number]) for number in range(50)]
        numbers = [cursor.fetchone()[0] for cursor in cursors]

    def divide():
        with a.pipeline(), Transaction(a):
            a.execute("SELECT 1")
            a.execute("SELECT 1/%s", [0])
            a.execute("SELECT 2")
    state = sqlstate(divide)
    say("pipelined", [numbers, state, notes(a)])


def plant(a):
    with Transaction(a):
        a.execute("INSERT INTO notes (tenant_id, body) VALUES (%s, 'planted')", [OTHER_TENANT])


def neighbour(a):
    with Transaction(a):
        saw = [column(a, "SELECT body FROM notes WHERE body LIKE '%globex%'"),
               a.execute("UPDATE notes SET body = 'taken' WHERE body LIKE '%globex%'").rowcount]
    say("neighbour", saw + [sqlstate(lambda: plant(a))])


def application(a):
    switched = []
    for number in range(6):
        with Transaction(a, ("acme", "globex")[number % 2]):
            switched += column(a, "SELECT body FROM notes WHERE id > %s", [0])
    say("switched", switched)
    say("nobody", sqlstate(lambda: a.execute("SELECT body FROM notes WHERE id > %s", [0])))


def pool():
    def open_pool(tenant):
        return psycopg_pool.ConnectionPool(kwargs={"user": login(tenant), "autocommit": True, "prepare_threshold": 1}, min_size=4, max_size=4)

    pools = {"acme": open_pool("acme")}
    pools["globex"] = pools["acme"] if APPLICATION else open_pool("globex")

    def read(tenant):
        with pools[tenant].connection() as connection, Transaction(connection, tenant):
            return tenant, column(connection, "SELECT body FROM notes WHERE id > %s", [0])

    found = {"acme": set(), "globex": set()}
    with ThreadPoolExecutor(8) as threads:
        for tenant, bodies in threads.map(read, ["acme", "globex"] * 50):
            found[tenant].update(bodies)
    for one in set(pools.values()):
        one.close()
    say("pool", {tenant: sorted(bodies) for tenant, bodies in found.items()})


with connect("acme") as a, connect("acme") as second, connect("globex") as b:
    basics(a, second, b)
    types(a)
    failures(a)
    large(a)
    cancelled(a)
    copy(a)
    pipelined(a)
    neighbour(a)
    if APPLICATION:
        application(a)
pool()
