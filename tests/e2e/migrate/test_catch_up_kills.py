"""The follower, the source or the target die at any moment, under load: no change is lost, none is applied twice."""
import contextlib
import random
import threading
import time

import psycopg
import pytest
from streams import servers, stream_of  # noqa: F401
from support.waiting import wait_until

# Every transaction writes a line in the ledger and adds to a balance: a change that is lost or doubled shows in both.
SCHEMA = """
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
CREATE TABLE ledger (id bigint PRIMARY KEY, account_id int NOT NULL REFERENCES account, amount bigint NOT NULL, note text);
CREATE TABLE log (line text);
ALTER TABLE log REPLICA IDENTITY FULL;
"""
ROWS = "INSERT INTO account SELECT n, 0 FROM generate_series(1, 20) n"


class Load:
    """Writes until it is stopped; `acknowledged` are the ids of ledger lines whose commit was confirmed."""

    def __init__(self, stream, seed):
        self.stream, self.random = stream, random.Random(seed)
        self.acknowledged = set()
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.write, args=(seed * 1_000_000,))
        self.thread.start()

    def write(self, number):
        with self.stream.source_connection() as connection:
            while not self.end.is_set():
                lines = range(number, number + self.random.choice((1, 1, 2, 5, 200)))
                number = lines.stop
                with contextlib.suppress(psycopg.errors.DeadlockDetected):  # of two writers; not acknowledged
                    self.transaction(connection, lines)
                    self.acknowledged.update(lines)

    def transaction(self, connection, lines):
        with connection.transaction():
            for line in lines:
                account, amount = self.random.randint(1, 20), self.random.randint(-100, 100)
                connection.execute("INSERT INTO ledger VALUES (%s, %s, %s, %s)", (line, account, amount, "n" * (line % 50)))
                connection.execute("UPDATE account SET balance = balance + %s WHERE id = %s", (amount, account))
            connection.execute("INSERT INTO log VALUES ('the same')")  # no key would find a double

    def stop(self):
        self.end.set()
        self.thread.join()


def check(stream, loads):
    stream.catch_up()
    stream.assert_equal()
    with stream.shared.connect_slot(1, stream.tenant) as connection:
        ids = {row[0] for row in connection.execute("SELECT id FROM ledger").fetchall()}
        assert set().union(*(load.acknowledged for load in loads)) == ids
        wrong = connection.execute("SELECT a.id FROM account a LEFT JOIN ledger l ON l.account_id = a.id GROUP BY a.tenant_id, a.id "
                                   "HAVING a.balance <> coalesce(sum(l.amount), 0)").fetchall()
        assert wrong == []


def kill_followers(servers, binary, kills, seed):  # noqa: F811
    dice = random.Random(seed)
    with stream_of(servers, binary, SCHEMA, ROWS) as stream:
        stream.begin()
        loads = [Load(stream, number) for number in (1, 2)]
        try:
            for _ in range(kills):
                with stream.follow() as follower:
                    time.sleep(dice.uniform(0, 1.2))
                    follower.kill()
        finally:
            for load in loads:
                load.stop()
        check(stream, loads)


def test_a_follower_is_killed(servers, binary):  # noqa: F811
    kill_followers(servers, binary, kills=12, seed=7)


@pytest.mark.long
def test_a_follower_is_killed_two_hundred_times(servers, binary):  # noqa: F811
    kill_followers(servers, binary, kills=200, seed=8)


def test_a_follower_is_killed_before_its_stream_is_whole(servers, binary):  # noqa: F811
    """While slot and publication are made: the next one finishes it, or says what to do."""
    dice = random.Random(3)
    with stream_of(servers, binary, SCHEMA, ROWS) as stream:
        for _ in range(12):
            with stream.follow(command="slot") as slot:
                time.sleep(dice.uniform(0, 0.15))
                slot.kill()
            if dice.random() < 0.5:
                wait_until(lambda: stream.run("forget", check=False).returncode == 0, "the server to notice")
        wait_until(lambda: stream.run("forget", check=False).returncode == 0, "the server to notice")
        stream.begin()
        stream.catch_up()
        stream.assert_equal()


def test_the_connections_are_cut(servers, binary):  # noqa: F811
    """The same follower makes them again."""
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'partywall'"
    with stream_of(servers, binary, SCHEMA, ROWS) as stream:
        stream.begin()
        load = Load(stream, 1)
        try:
            with stream.follow() as follower:
                for server, database in ((servers[0], stream.source), (servers[1], stream.shared.name)) * 2:
                    follower.wait_for("status")
                    seen = len(follower.events("status"))
                    server.execute(cut, database)
                    while len(follower.events("status")) < seen + 2:
                        assert follower.process.process.poll() is None, follower.log()
                        time.sleep(0.05)
                load.stop()
                assert follower.stop() == 0
        finally:
            load.stop()
        check(stream, [load])


def test_the_target_crashes(servers, binary):  # noqa: F811
    """What it had not on disk is applied again, because the source kept it."""
    with stream_of(servers, binary, SCHEMA, ROWS) as stream:
        stream.begin()
        load = Load(stream, 1)
        try:
            with stream.follow() as follower:
                for _ in range(3):
                    seen = len(follower.events("status"))
                    while len(follower.events("status")) < seen + 2:
                        assert follower.process.process.poll() is None, follower.log()
                        time.sleep(0.05)
                    servers[1].crash()
                    servers[1].start()
                load.stop()
                assert follower.stop() == 0
        finally:
            load.stop()
        check(stream, [load])
