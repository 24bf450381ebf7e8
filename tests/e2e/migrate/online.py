"""`partywall migrate run --online`: a source that is written to, a target on another server, and writers that keep a ledger."""
import contextlib
import json
import random
import subprocess
import threading
import time

import psycopg
from streams import Stream, stream_of
from support.waiting import wait_until

# Rows that were there before (`item`, `line`, `log` is without a key), and what the writers write: every transaction
# writes a line in the ledger and adds to a balance, so that a write that is lost or doubled shows in both.
SCHEMA = """
CREATE TABLE item (id bigserial PRIMARY KEY, name text NOT NULL, parent bigint REFERENCES item);
CREATE TABLE line (item bigint NOT NULL REFERENCES item, number int NOT NULL, note text, PRIMARY KEY (item, number));
CREATE TABLE log (at timestamptz NOT NULL, text text);
ALTER TABLE log REPLICA IDENTITY FULL;
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
CREATE TABLE ledger (id bigint PRIMARY KEY, account_id int NOT NULL REFERENCES account, amount bigint NOT NULL, note text);
"""
ROWS = """
INSERT INTO item (name, parent) SELECT md5(i::text), CASE WHEN i > 1 THEN i / 2 END FROM generate_series(1, {0}) AS i;
INSERT INTO line SELECT i, n, repeat('x', 100) FROM generate_series(1, {0}) AS i, generate_series(1, 2) AS n;
INSERT INTO log SELECT '2024-01-01'::timestamptz + make_interval(secs => i), repeat('y', 200) FROM generate_series(1, {0} / 4) AS i;
INSERT INTO account SELECT n, 0 FROM generate_series(1, 20) AS n;
"""
CHUNK = ("--chunk-blocks", "64")


class Writer:
    """Writes until it is stopped, also when connections are lost.

    `acknowledged`: ids of ledger lines whose commit was confirmed; `unknown`: of those whose COMMIT was not answered.
    """

    def __init__(self, stream, number):
        self.stream, self.dice = stream, random.Random(number)
        self.acknowledged, self.unknown = set(), set()
        self.failure = None
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(number * 1_000_000,))
        self.thread.start()

    def _run(self, number):
        try:
            while not self.end.is_set():
                with contextlib.suppress(psycopg.OperationalError), self.stream.source_connection() as connection:
                    connection.execute("SET search_path = public")
                    while not self.end.is_set():
                        lines = range(number, number + self.dice.choice((1, 1, 2, 5, 50)))
                        number = lines.stop
                        self._write(connection, lines)
                        time.sleep(0.002)
                time.sleep(0.02)
        except Exception as failure:  # the test shows it
            self.failure = failure

    def _write(self, connection, lines):
        self.unknown.update(lines)
        try:
            with connection.transaction():
                self._statements(connection, lines)
        except psycopg.errors.DeadlockDetected:  # of two writers: rolled back
            self.unknown.difference_update(lines)
            return
        self.unknown.difference_update(lines)
        self.acknowledged.update(lines)

    def _statements(self, connection, lines):
        item = self.dice.randint(1, 2000)
        for line in lines:
            account, amount = self.dice.randint(1, 20), self.dice.randint(-100, 100)
            connection.execute("INSERT INTO ledger VALUES (%s, %s, %s, %s)", (line, account, amount, "n" * (line % 50)))
            connection.execute("UPDATE account SET balance = balance + %s WHERE id = %s", (amount, account))
        # A row goes to another block, another one away, a third one comes.
        connection.execute("UPDATE line SET note = repeat('z', 120) WHERE item = %s", (item,))
        connection.execute("DELETE FROM line WHERE item = %s AND number = 2", (item + 1,))
        connection.execute("INSERT INTO item (name) VALUES ('new')")
        connection.execute("INSERT INTO log VALUES ('2024-05-05', 'the same')")  # no key would find a double

    def stop(self):
        self.end.set()
        self.thread.join()
        if self.failure:
            raise self.failure


@contextlib.contextmanager
def writers(stream, count=3):
    started = [Writer(stream, number) for number in range(1, count + 1)]
    try:
        yield started
    finally:
        for one in started:
            one.stop()


class Move:
    """A stream's databases and `partywall migrate run --online` between them."""

    def __init__(self, stream: Stream):
        self.stream = stream

    def start(self, *arguments):
        return self.stream.follow("--online", *CHUNK, *arguments, command="run")

    def finish(self, *arguments):
        """Runs it until it is verified; its events."""
        done = self.stream.run("run", "--online", "--until-verified", *CHUNK, *arguments)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def target(self, query):
        return self.stream.target_server.execute(query, self.stream.shared.name)

    def chunks_done(self):
        try:
            return self.target("SELECT count(*) FROM partywall_migration.chunk WHERE done_at IS NOT NULL")[0][0]
        except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable):
            return 0

    def of_the_target(self, command, *arguments):
        """The finished `partywall migrate status` or `discard`."""
        stream = self.stream
        return subprocess.run([str(part) for part in (stream.binary, "migrate", command, "--to", stream.target_url,
                                                      "--tenant", stream.tenant, *arguments)],
                              capture_output=True, text=True, timeout=60)

    def status(self):
        done = self.of_the_target("status", "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def wait_for_chunks(self, run, count):
        wait_until(lambda: self.chunks_done() >= count or run.process.process.poll() is not None, f"{count} chunks")
        assert self.chunks_done() >= count, run.log()

    def assert_nothing_lost(self, ledgers):
        """The writers have ended and all was followed: both are equal, and what was acknowledged is there once."""
        self.stream.assert_equal()
        with self.stream.shared.connect_slot(1, self.stream.tenant) as connection:
            ids = [row[0] for row in connection.execute("SELECT id FROM ledger").fetchall()]
            acknowledged = set().union(*(one.acknowledged for one in ledgers))
            unknown = set().union(*(one.unknown for one in ledgers))
            assert len(ids) == len(set(ids))
            assert acknowledged <= set(ids) <= acknowledged | unknown
            wrong = connection.execute("SELECT a.id FROM account a LEFT JOIN ledger l ON l.account_id = a.id GROUP BY a.tenant_id, a.id "
                                       "HAVING a.balance <> coalesce(sum(l.amount), 0)").fetchall()
            assert wrong == []
        return len(acknowledged)


@contextlib.contextmanager
def move_of(servers, binary, rows=20_000, schema=SCHEMA, text=ROWS):
    with stream_of(servers, binary, schema, text.format(rows)) as stream:
        yield Move(stream)


__all__ = ["CHUNK", "SCHEMA", "ROWS", "Move", "Writer", "move_of", "writers"]
