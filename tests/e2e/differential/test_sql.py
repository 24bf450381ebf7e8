"""Random legal streams of several clients of two tenants, interleaved through the sql door, give what plain
PostgreSQL gives to each of them alone: the same messages, rows, tags, SQLSTATEs and transaction states.

Longer: PARTYWALL_LONG=1."""
import os
import random
import struct

import pytest

from support.raw_postgres import FLUSH, SYNC, RawPostgres, bind, close, describe, execute, message, parse, query

SEEDS = range(40) if os.environ.get("PARTYWALL_LONG") else range(6)
STEPS = 120


class Generator:
    """Steps of one client: each is a list of messages that the server answers with so many ReadyForQuery."""

    def __init__(self, seed, table):
        self.random = random.Random(seed)
        self.table = table

    def step(self, status):
        """What to send next, given the transaction state: (messages, number of ReadyForQuery)."""
        r = self.random.random()
        if status == "E" and r < 0.5:
            return [query(self.random.choice(["ROLLBACK", "ROLLBACK TO a", "ROLLBACK TO b", "COMMIT"]))], 1
        if r < 0.40:
            return [query(self.simple())], 1
        if r < 0.55:
            return [query(self.transaction(status))], 1
        if r < 0.60:
            count = self.random.randint(2, 4)
            return [query(self.simple()) for _ in range(count)], count
        return self.extended(status)

    def id(self):
        return self.random.randrange(12)

    def write(self):
        t, i = self.table, self.id()
        return self.random.choice([
            f"INSERT INTO {t} (id, name, n) VALUES ({i}, 'name {self.id()}', {i * 3})",
            f"INSERT INTO {t} (id, name) VALUES ({i}, 'x{i}') ON CONFLICT DO NOTHING RETURNING id, name",
            f"INSERT INTO {t} (id, name) VALUES ({i}, 'y{i}') ON CONFLICT (tenant_id, id) DO UPDATE SET n = coalesce({t}.n, 0) + 1 RETURNING id, n",
            f"UPDATE {t} SET n = coalesce(n, 0) + 1 WHERE id <= {i}",
            f"UPDATE {t} SET name = name || '!' WHERE id = {i} AND length(name) < 30 RETURNING name",
            f"DELETE FROM {t} WHERE id = {i} RETURNING id, name, n",
            f"WITH gone AS (DELETE FROM {t} WHERE id > 9 RETURNING id) SELECT count(*) FROM gone",
        ])

    def read(self):
        t, i = self.table, self.id()
        return self.random.choice([
            f"SELECT id, name, n FROM {t} ORDER BY id", f"SELECT count(*), sum(n), max(name) FROM {t}", f"SELECT name FROM {t} WHERE id = {i}",
            f"SELECT id, rank() OVER (ORDER BY n NULLS FIRST, id) FROM {t} ORDER BY id", f"TABLE {t} LIMIT 0", f"SELECT {i} AS one, 'a''b' AS two, NULL AS three",
            f"SELECT a.id FROM {t} a JOIN {t} b ON a.id = b.id + 1 ORDER BY 1", "VALUES (1, 'x'), (2, 'y')", "SHOW standard_conforming_strings",
            "SELECT current_setting('server_encoding'), pg_typeof(1.5)", f"SELECT * FROM generate_series(1, {i * 40}) g", f"COPY (SELECT id, name FROM {t} ORDER BY id) TO STDOUT",
        ])

    def mistake(self):
        return self.random.choice(["SELECT 1/0", "SELEC 1", "SELECT * FROM nowhere", f"INSERT INTO {self.table} (id, name) VALUES (NULL, 'x')",
                                   "SELECT 'x'::int", "SELECT unknown_function(1)", "RELEASE nowhere", "FETCH 1 FROM nowhere", "EXECUTE nowhere",
                                   "DEALLOCATE nowhere", "CLOSE nowhere", "SET no_such_setting = 1", "SELECT $1", "'", "SELECT 1 SELECT 2", ")("])

    def session(self):
        name = self.random.choice(["p", "q"])
        return self.random.choice([
            f"PREPARE {name} AS SELECT id, name FROM {self.table} WHERE id < $1 ORDER BY id", f"EXECUTE {name}({self.id()})", f"DEALLOCATE {name}",
            f"PREPARE {name}(int) AS UPDATE {self.table} SET n = $1 WHERE id = $1", "DEALLOCATE ALL",
            f"DECLARE c CURSOR FOR SELECT id FROM {self.table} ORDER BY id", "FETCH 2 FROM c", "MOVE 1 IN c", "CLOSE c",
            f"DECLARE h CURSOR WITH HOLD FOR SELECT id FROM {self.table} ORDER BY id", "FETCH ALL FROM h", "CLOSE h", "CLOSE ALL",
            "SET work_mem = '8MB'", "SHOW work_mem", "RESET work_mem", "SET LOCAL work_mem = '9MB'", "SET TIME ZONE 'Asia/Tokyo'", "SET TIME ZONE 'UTC'",
            "SELECT timestamptz '2026-01-01 00:00Z'", "SET DateStyle = 'German'", "RESET DateStyle", "SELECT date '2026-02-01'", "SET search_path = public",
            "SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(2)",
            f"DO $$BEGIN UPDATE {self.table} SET n = 0 WHERE id = 3; IF NOT FOUND THEN RAISE NOTICE 'none'; END IF; END$$",
        ])

    def simple(self):
        r = self.random.random()
        if r < 0.35:
            return self.read()
        if r < 0.70:
            return self.write()
        if r < 0.78:
            return self.mistake()
        if r < 0.92:
            return self.session()
        if r < 0.95:
            return self.random.choice(["", " ", ";", ";;", "-- nothing", "/* nothing */ ;"])
        return "; ".join(self.random.choice([self.read, self.write, self.write, self.mistake])() for _ in range(self.random.randint(2, 4)))

    def transaction(self, status):
        if status == "I" and self.random.random() < 0.7:
            return self.random.choice(["BEGIN", "begin;", "START TRANSACTION", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN READ ONLY",
                                       "START TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE", "BEGIN; SELECT 1", "BEGIN; SAVEPOINT a"])
        return self.random.choice(["COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT a", "SAVEPOINT b", "ROLLBACK TO a", "ROLLBACK TO SAVEPOINT b", "RELEASE a",
                                   "BEGIN", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "SET TRANSACTION READ ONLY", *([] if status == "E" else ["COMMIT; BEGIN"])])

    def extended(self, status):
        batch, readies = [], self.random.choice([1, 1, 1, 2])
        for _ in range(readies):
            for _ in range(self.random.choice([1, 1, 2, 3])):
                batch += self.random.choice([self.unnamed, self.unnamed, self.named, self.portals, self.odd])(status)
                if self.random.random() < 0.1:
                    batch.append(FLUSH)
            batch.append(SYNC)
        return batch, readies

    def unnamed(self, status):
        t = self.table
        sql, values = self.random.choice([
            (f"SELECT id, name FROM {t} WHERE id < $1 ORDER BY id", [self.id()]), (f"UPDATE {t} SET n = $1::int WHERE id = $2::int", [self.id(), self.id()]),
            (f"INSERT INTO {t} (id, name) VALUES ($1, $2) RETURNING id", [self.id(), f"v{self.id()}"]), ("SELECT $1::text", [None]), ("SELECT 1/$1::int", [0]),
            (f"DELETE FROM {t} WHERE id = $1", [self.id()]), ("SELECT $1::int + 1", ["x"]), ("", []), (self.read(), []), (self.write(), []),
            (self.transaction(status).split(";")[0], []), (self.mistake(), []), (self.session(), []),
        ])
        return [parse(sql), *([describe("S")] if self.random.random() < 0.3 else []), bind(*values, binary_results=self.random.random() < 0.2),
                *([describe("P")] if self.random.random() < 0.7 else []), execute()]

    def named(self, status):
        name = self.random.choice(["s1", "s2"])
        sql = self.random.choice([f"SELECT id, name, n FROM {self.table} WHERE id <= $1 ORDER BY id", f"UPDATE {self.table} SET n = $1 WHERE id = 1 RETURNING n"])
        return self.random.choice([
            [parse(sql, name)], [bind(self.id(), statement=name), execute()], [bind(self.id(), statement=name), describe("P"), execute()],
            [describe("S", name)], [close("S", name)], [close("S", name), parse(sql, name), bind(self.id(), statement=name), execute()],
        ])

    def portals(self, status):
        rows = self.random.choice([0, 1, 2])
        sql = f"SELECT id FROM {self.table} ORDER BY id"
        return [parse(sql), bind(portal="w"), execute("w", rows), execute("w", rows), *([close("P", "w")] if self.random.random() < 0.7 else []),
                *([execute("w")] if self.random.random() < 0.3 else [])]

    def odd(self, status):
        return self.random.choice([[execute("nothing")], [bind(statement="never")], [describe("S", "never")], [describe("P", "never")], [close("S", "never")],
                                   [parse("SELECT $1::int", types=[23]), bind(), execute()], [], [parse("SELECT 1; SELECT 2")]])


def normal(one):
    """A message without what must differ: oids of tables, texts of errors, the process."""
    if one.kind in "EN":
        return one.kind, one.fields()["C"]
    if one.kind == "T":
        return "T", tuple(columns(one.body))
    return one.kind, one.body


def columns(body):
    (count,), at = struct.unpack_from("!h", body), 2
    for _ in range(count):
        end = body.index(0, at)
        _, _, oid, size, modifier, code = struct.unpack_from("!ihihih", body, end + 1)
        yield body[at:end], oid, size, modifier, code
        at = end + 19


def comparable(status, received):
    """Without what is said in a transaction that had failed before and has still: several things may be wrong then."""
    result, section = [], []
    for one in received:
        section.append(one)
        if one[0] == "Z":
            result += section[-1:] if status == "E" and one[1] == b"E" else section
            status, section = one[1].decode(), []
    return result


class Client:
    """The same stream to the door and to a plain database."""

    def __init__(self, node, login, context, table, plain, seed):
        self.door = node.raw_sql(login)
        place = node.run["postgresql"]
        self.plain = RawPostgres(place["port"], place["user"], place["password"], plain)
        self.name, self.generator, self.status = f"{login} {table}", Generator(seed, table), "I"
        if context:
            assert self.door.query(f"SET app.current_tenant = '{context}'").tags == ["SET"]
        self.history = []

    def close(self):
        self.door.close()
        self.plain.close()

    def step(self):
        messages, readies = self.generator.step(self.status)
        self.history = (self.history + [b"".join(messages)])[-6:]
        expected = self.exchange(self.plain, messages, readies)
        answered = self.exchange(self.door, messages, readies)
        assert comparable(self.status, answered) == comparable(self.status, expected), f"{self.name}: {self.history}"
        self.status = expected[-1][1].decode()

    @staticmethod
    def exchange(connection, messages, readies):
        connection.send(b"".join(messages))
        received = []
        while readies:
            one = connection.read_message()
            if one.kind == "G":
                connection.send(message("c"))
            if one.kind != "S":
                received.append(normal(one))
            readies -= one.kind == "Z"
        return received


@pytest.mark.parametrize("seed", SEEDS)
def test_interleaved_clients_get_what_plain_postgresql_gives(node, plain_database, contexts, seed):
    with node.superuser() as server:
        server.execute("DELETE FROM item; DELETE FROM other")
    acme, globex = plain_database(), plain_database()
    clients = [Client(node, "acme", None, "item", acme, f"{seed} 1"), Client(node, "acme", None, "other", acme, f"{seed} 2"),
               Client(node, "globex", None, "item", globex, f"{seed} 3"), Client(node, "application", contexts["globex"], "other", globex, f"{seed} 4")]
    order = random.Random(seed)
    try:
        for _ in range(STEPS):
            order.choice(clients).step()
    finally:
        for client in clients:
            client.close()


@pytest.fixture(scope="module")
def contexts(node):
    return {tenant: node.context(tenant, "sql", "1h") for tenant in ("acme", "globex")}
