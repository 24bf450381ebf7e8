"""What was interrupted goes on, and every row is there once: kills of the tool, lost connections, restarted servers."""
import json
import random
import signal
import time

import psycopg
import pytest
from conversion import Target
from migration import Tool
from support.postgres import Postgres
from support.register import TENANT_A
from support.waiting import wait_until

SCHEMA = """
CREATE TABLE item (id bigserial PRIMARY KEY, name text NOT NULL, parent bigint REFERENCES item);
CREATE TABLE line (item bigint NOT NULL REFERENCES item, number int NOT NULL, note text, PRIMARY KEY (item, number));
CREATE TABLE log (at timestamptz NOT NULL, text text);
"""
# Tens of chunks; `log` has no key that could refuse a row that comes twice.
ROWS = """
INSERT INTO item (name, parent) SELECT md5(i::text), CASE WHEN i > 1 THEN i / 2 END FROM generate_series(1, {0}) AS i;
INSERT INTO line SELECT i, n, repeat('x', 100) FROM generate_series(1, {0}) AS i, generate_series(1, 3) AS n;
INSERT INTO log SELECT '2024-01-01'::timestamptz + make_interval(secs => i), repeat('y', 200) FROM generate_series(1, {0}) AS i;
"""
CHUNK = ("--chunk-blocks", "64")


class Rig:
    """A source and a target, which may be on two servers."""

    def __init__(self, source_server, target_server, binary, rows):
        self.source_server, self.target_server = source_server, target_server
        self.source = source_server.create_database()
        source_server.execute(SCHEMA + ROWS.format(rows), self.source)
        self.target = Target(target_server, binary, target_server.create_database())
        self.target.convert(source_server.url(self.source))
        self.tool = Tool(self.target, source_server.url(self.source), {"acme": TENANT_A})
        self._watch = None

    def remove(self):
        if self._watch:
            self._watch.close()
        self.target.remove()
        self.source_server.drop_database(self.source)

    def assert_moved(self):
        with self.source_server.connect(self.source) as before, self.target_server.connect(self.target.name) as after:
            for table, columns in {"item": "id, name, parent", "line": "item, number, note", "log": "at, text"}.items():
                query = f"SELECT count(*), md5(string_agg(ROW({columns})::text, '|' ORDER BY ROW({columns})::text COLLATE \"C\")) FROM {table}"
                assert after.execute(query).fetchone() == before.execute(query).fetchone(), table

    def chunks_done(self):
        """Asked again and again, so on one connection: starting one takes a server longer than this takes."""
        if self._watch is None or self._watch.closed:
            self._watch = self.target_server.connect(self.target.name)
        try:
            return self._watch.execute("SELECT count(*) FROM partywall_migration.chunk WHERE done_at IS NOT NULL").fetchone()[0]
        except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable):
            return 0


@pytest.fixture
def rig(postgres, binary):
    rig = Rig(postgres, postgres, binary, 20_000)
    yield rig
    rig.remove()


def kill_at_random(rig, seed, rounds):
    """Kills the tool again and again, each time after some more chunks, then lets it finish."""
    dice = random.Random(seed)
    for _ in range(rounds):
        process = rig.tool.start("run", "acme", *CHUNK, "--workers", str(dice.randint(1, 4)))
        goal = rig.chunks_done() + dice.randint(0, 12)
        while process.poll() is None and rig.chunks_done() < goal:
            time.sleep(0.002)
        time.sleep(dice.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return rig.tool.run("acme", *CHUNK)


@pytest.mark.parametrize("seed", range(1))
def test_a_tool_that_is_killed_goes_on(rig, seed):
    done = kill_at_random(rig, seed, 4)
    assert "are equal in both databases" in done.stdout or "verified before" in done.stdout
    rig.assert_moved()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_a_tool_that_is_killed_again_and_again_goes_on(rig, seed):
    kill_at_random(rig, seed, 5)
    rig.assert_moved()


@pytest.mark.parametrize("side", [pytest.param("source", marks=pytest.mark.long), pytest.param("target", marks=pytest.mark.long), "both"])
def test_connections_that_are_killed_are_made_anew(rig, side):
    process = rig.tool.start("run", "acme", *CHUNK, "--rate", "4", "-o", "json")
    names = {"source": [rig.source], "target": [rig.target.name], "both": [rig.source, rig.target.name]}[side]
    wait_until(lambda: rig.chunks_done() >= 3, "the first chunks")
    for _ in range(5):
        for name in names:
            rig.target_server.execute(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'partywall'")
        time.sleep(0.05)
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert any(json.loads(line)["event"] == "interrupted" for line in output.splitlines())
    rig.assert_moved()


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_server_that_crashes_loses_and_doubles_nothing(postgres, binary, which):
    settings = {"fsync": "off", "synchronous_commit": "on"}
    with Postgres(settings) as other:
        rig = Rig(other if which == "source" else postgres, other if which == "target" else postgres, binary, 20_000)
        process = rig.tool.start("run", "acme", *CHUNK, "--rate", "10")
        wait_until(lambda: rig.chunks_done() >= 3, "the first chunks")
        other.crash()
        time.sleep(0.3)
        other.start()
        process.communicate(timeout=240)
        # Where it held the target's lock it has ended; then the next run goes on.
        rig.tool.run("acme", *CHUNK)
        rig.assert_moved()
        rig.remove()


def test_two_at_a_time_are_refused(rig):
    process = rig.tool.start("run", "acme", *CHUNK, "--rate", "3")
    wait_until(lambda: rig.chunks_done() >= 1, "the first chunk")
    second = rig.tool.call("run", "acme", *CHUNK)
    assert second.returncode == 5 and "is being migrated by another process" in second.stderr
    process.send_signal(signal.SIGKILL)
    process.communicate()
    rig.tool.run("acme", *CHUNK)
    rig.assert_moved()


def interrupted(rig):
    process = rig.tool.start("run", "acme", *CHUNK, "--workers", "1", "--rate", "10")
    wait_until(lambda: rig.chunks_done() >= 5, "the first chunks")
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_rows_that_were_changed_between_two_snapshots_are_copied_again(rig):
    interrupted(rig)
    # Into blocks that were copied, out of them, and within them.
    rig.source_server.execute("UPDATE line SET note = 'changed' WHERE item % 5 = 0; DELETE FROM log WHERE at < '2024-01-01 00:30';"
                              "INSERT INTO line SELECT id, 9, 'new' FROM item WHERE id % 7 = 0", rig.source)
    done = rig.tool.run("acme", *CHUNK)
    assert "is copied again" in done.stderr
    rig.assert_moved()


def test_a_table_that_was_written_anew_is_copied_from_its_beginning(rig):
    interrupted(rig)
    rig.source_server.execute("VACUUM FULL line", rig.source)
    rig.source_server.execute("CLUSTER item USING item_pkey", rig.source)
    rig.tool.run("acme", *CHUNK)
    rig.assert_moved()


def test_another_source_is_refused(rig):
    interrupted(rig)
    other = rig.source_server.create_database(template=rig.source)
    done = rig.tool.call("run", "acme", source=rig.source_server.url(other))
    assert done.returncode == 5 and "was begun from another database" in done.stderr
    rig.source_server.drop_database(other)


def test_a_schema_that_has_changed_is_refused(rig):
    interrupted(rig)
    rig.source_server.execute("ALTER TABLE log ADD extra int", rig.source)
    done = rig.tool.call("run", "acme")
    assert done.returncode == 5 and "the schema of the source has changed" in done.stderr


def test_what_was_discarded_begins_anew(rig):
    interrupted(rig)
    assert rig.tool.call("discard", "acme").returncode == 0
    assert rig.target.execute("SELECT count(*) FROM line")[0][0] == 0
    rig.tool.run("acme", *CHUNK)
    refused = rig.tool.call("discard", "acme")
    assert refused.returncode == 4 and "--verified-too" in refused.stderr
    rig.assert_moved()
