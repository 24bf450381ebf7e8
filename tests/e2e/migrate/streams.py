"""Two PostgreSQL servers, a source and its conversion, and `partywall migrate follow` between them."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest
import yaml
from conversion import RULES, Target, contents, copy_tables, load, tables_of, tables_with_tenant
from support.postgres import Postgres
from support.processes import Process
from support.register import TENANT_A
from support.waiting import wait_until

LOGICAL = {"wal_level": "logical", "max_wal_senders": "20", "max_replication_slots": "40", "wal_writer_delay": "10ms"}


@pytest.fixture(scope="module")
def servers():
    """(source, target)"""
    with Postgres(LOGICAL) as source, Postgres(LOGICAL) as target:
        yield source, target


class StreamTarget(Target):
    """A shared database whose sources are on another server."""

    def __init__(self, server, binary, source_server):
        super().__init__(_urls_of(server, source_server), binary, server.create_database())


def _urls_of(server, source_server):
    """`server`, but that `url(name)` is of the other one: the conversion takes its source from there."""
    class Both:
        def __getattr__(self, name):
            return getattr(source_server if name == "url" else server, name)
    return Both()


class Follower:
    """A `partywall migrate follow` (or `slot`) in the background, and what it says."""

    def __init__(self, stream, *arguments, command="follow", source=None, target=None, tenant=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="partywall-follow-"))
        self.process = Process(
            [stream.binary, "migrate", command, source or stream.source_url, "--to", target or stream.target_url,
             "--tenant", str(tenant or stream.tenant), "-o", "json", *stream.rules_arguments(), *arguments],
            self.folder / "log", stop_signal=signal.SIGINT)

    def events(self, name=None):
        lines = [json.loads(line) for line in self.process.log().splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if name in (None, line["event"])]

    def wait_for(self, name, **members):
        def found():
            assert self.process.process.poll() is None or self.matching(name, members), self.process.log()[-3000:]
            return self.matching(name, members)
        return wait_until(found, f"the event {name} {members}", patience=120)[0]

    def matching(self, name, members):
        return [event for event in self.events(name) if members.items() <= event.items()]

    def wait(self, patience=180):
        """Its exit status, when it ends by itself."""
        return self.process.process.wait(patience)

    def kill(self):
        self.process.process.kill()
        self.process.process.wait()

    def stop(self):
        return self.process.stop(60)

    def log(self):
        return self.process.log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop(60)
        shutil.rmtree(self.folder, ignore_errors=True)


class Stream:
    """A source database, a target that it was converted into, and a tenant."""

    def __init__(self, servers, binary, source, rules=None, tenant=TENANT_A, target=None):
        self.source_server, self.target_server = servers
        self.binary, self.source, self.tenant, self.rules = binary, source, tenant, rules
        self.shared = target or StreamTarget(self.target_server, binary, self.source_server)
        self.owns_target = target is None
        self.shared.convert(source, rules=rules)
        self.source_url = self.source_server.url(source)
        self.target_url = self.target_server.url(self.shared.name)
        self.rules_file = None
        if rules:
            self.rules_file = self.shared.write_secret(f"rules-{source}.yaml", yaml.safe_dump(rules))

    def rules_arguments(self):
        return ("--rules", self.rules_file) if self.rules_file else ()

    def source_connection(self, **parameters):
        return self.source_server.connect(self.source, **parameters)

    def target_connection(self, **parameters):
        return self.target_server.connect(self.shared.name, **parameters)

    def follow(self, *arguments, **parameters):
        return Follower(self, *arguments, **parameters)

    def run(self, command, *arguments, check=True, source=None, target=None, tenant=None):
        """Runs `partywall migrate <command>` to its end."""
        done = subprocess.run(
            [str(part) for part in (self.binary, "migrate", command, source or self.source_url, "--to",
                                    target or self.target_url, "--tenant", tenant or self.tenant, "-o", "json",
                                    *self.rules_arguments(), *arguments)],
            capture_output=True, text=True, timeout=300, env=os.environ)
        if check and done.returncode != 0:
            raise AssertionError(f"migrate {command} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr}")
        return done

    def position(self):
        """Where the source's log is, on disk."""
        with self.source_connection() as connection:
            connection.execute("SELECT pg_current_xact_id()")
            return connection.execute("SELECT pg_current_wal_insert_lsn()").fetchone()[0]

    def begin(self):
        """Makes slot and publication while nobody writes, and copies the rows."""
        with self.follow(command="slot") as slot:
            self.copy(slot.wait_for("prepared")["snapshot"])

    def copy(self, snapshot):
        with self.source_connection(autocommit=False) as reader, self.target_connection() as writer:
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reader.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            writer.execute("SET session_replication_role = replica")
            copy_tables(reader, writer, self.tenant)

    def catch_up(self):
        """Runs a follower until it has applied all that is there now."""
        return self.run("follow", "--until-lsn", self.position())

    def assert_equal(self, without=()):
        with self.source_connection() as source, self.target_connection() as target:
            mine = tables_with_tenant(target)
            tables = {table: columns for table, columns in tables_of(source).items()
                      if table in mine and table not in without}
            assert tables
            expected = contents(source, tables)
        with self.shared.connect_slot(1, self.tenant) as connection:
            assert contents(connection, tables) == expected

    def remove(self):
        with contextlib.suppress(AssertionError):
            self.run("forget", check=False)
        if self.owns_target:
            self.shared.remove()
        self.source_server.drop_database(self.source)


@contextlib.contextmanager
def stream_of(servers, binary, schema, rows="", rules=None, tenant=TENANT_A, target=None):
    """A stream whose source has this schema."""
    source = servers[0].create_database()
    servers[0].execute(schema, source)
    if rows:
        servers[0].execute(rows, source)
    stream = Stream(servers, binary, source, rules, tenant, target)
    try:
        yield stream
    finally:
        stream.remove()


@contextlib.contextmanager
def stream_of_data_set(servers, binary, name):
    source = load(servers[0], name)
    if name == "pagila":  # some partitions say the whole row, the others its key
        for month in (1, 2, 3):
            servers[0].execute(f"ALTER TABLE payment_p2022_{month:02} REPLICA IDENTITY FULL", source)
    stream = Stream(servers, binary, source, RULES.get(name))
    try:
        yield stream
    finally:
        stream.remove()


def write_elsewhere(server):
    """Several MiB of log that no stream has a part in."""
    server.execute("CREATE TABLE IF NOT EXISTS elsewhere (n int); INSERT INTO elsewhere SELECT generate_series(1, 50000)")


def wait_for_lsn(follower, lsn):
    """Until the follower has applied everything before it."""
    def number(text):
        high, low = text.split("/")
        return (int(high, 16) << 32) | int(low, 16)
    wait_until(lambda: any(number(event["applied_lsn"]) >= number(lsn) for event in follower.events("status")),
               f"{lsn} to be applied", patience=180)


__all__ = ["Follower", "Stream", "servers", "stream_of", "stream_of_data_set", "wait_for_lsn", "write_elsewhere"]
