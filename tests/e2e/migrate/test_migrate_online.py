"""A tenant is moved while its application writes: the copy and the stream of changes fit together, and both databases are compared."""
import re
import subprocess

import psycopg
import pytest
from online import ROWS, SCHEMA, move_of, writers
from streams import LOGICAL, servers, write_elsewhere  # noqa: F401
from support.postgres import Postgres
from support.register import TENANT_B
from support.waiting import wait_until


def kinds(events):
    return [event["event"] for event in events]


def test_rows_and_changes_come_together(servers, binary):  # noqa: F811
    with move_of(servers, binary) as move:
        with writers(move.stream) as ledgers, move.start("--rate", "6") as run:
            run.wait_for("state", state="verified")
            states = [event["state"] for event in run.events("state")]
            assert states == ["catching_up", "verified"]
            assert all(event["equal"] for event in run.events("compared"))
            seen = len(run.events("status"))
            wait_until(lambda: len(run.events("status")) >= seen + 2, "it to go on following")
            note = move.status()
            assert note["state"] == "verified" and note["stream"]["verified_lsn"] == run.events("held")[-1]["lsn"]
            assert note["stream"]["lag_bytes"] >= 0 and note["stream"]["applied_lsn"]
            assert run.stop() == 0
            assert run.events("end")[0]["outcome"] == "stopped"
        # The writers have ended: what they wrote since is followed, and compared again.
        events = move.finish()
        assert events[-1] == {"event": "end", "outcome": "verified"}
        assert "relation" not in kinds(events)  # nothing was copied again
        assert move.assert_nothing_lost(ledgers) > 100


def test_a_row_that_somebody_changed_in_the_target_is_found(servers, binary):  # noqa: F811
    with move_of(servers, binary, rows=2000) as move:
        move.finish()
        move.target("UPDATE line SET note = 'changed' WHERE item = 77 AND number = 1")
        with writers(move.stream, 1):
            done = move.stream.run("run", "--online", "--until-verified", check=False)
        assert done.returncode == 1, done.stderr
        shown = subprocess.run([str(part) for part in (binary, "migrate", "run", move.stream.source_url, "--to", move.stream.target_url,
                                                       "--tenant", move.stream.tenant, "--online", "--until-verified")],
                               capture_output=True, text=True, timeout=120)
        assert shown.returncode == 1 and re.search("The source keeps its log for slot partywall_.*migrate forget", shown.stdout)
        assert '"differences":[{"kind":"changed","row":"(77,1)"}]' in done.stdout
        assert '"outcome":"differs"' in done.stdout
        assert move.status()["state"] == "catching_up"
        with move.stream.source_connection() as source:
            note = source.execute("SELECT note FROM line WHERE item = 77 AND number = 1").fetchone()[0]
        move.target(f"UPDATE line SET note = '{note}' WHERE item = 77 AND number = 1")
        move.finish()
        assert move.status()["state"] == "verified"


def test_sequences_go_on_where_the_source_s_are_and_never_back(servers, binary):  # noqa: F811
    with move_of(servers, binary, rows=500) as move:
        move.finish()
        draw = "SELECT nextval(partywall_sequences.sequence_of('public.item_id_seq', '{}'))".format(move.stream.tenant)
        assert move.target(draw)[0][0] == 501
        move.stream.source_server.execute("SELECT nextval('item_id_seq') FROM generate_series(1, 100)", move.stream.source)
        move.finish()
        assert move.target(draw)[0][0] == 601
        move.target("SELECT setval(partywall_sequences.sequence_of('public.item_id_seq', '{}'), 9000)".format(move.stream.tenant))
        move.finish()
        assert move.target(draw)[0][0] == 9001
        # One that was set and not drawn from since counts as much.
        move.target("SELECT setval(partywall_sequences.sequence_of('public.item_id_seq', '{}'), 9900, false)".format(move.stream.tenant))
        move.finish()
        assert move.target(draw)[0][0] == 9900


def test_a_transaction_that_stays_open_delays_the_comparison_and_not_the_stream(servers, binary):  # noqa: F811
    with move_of(servers, binary, rows=500) as move:
        move.finish()
        with move.stream.source_connection(autocommit=False) as lingering:
            lingering.execute("INSERT INTO item (name) VALUES ('late')")
            with move.start("--until-verified") as run:
                run.wait_for("waiting")
                move.stream.source_server.execute("INSERT INTO item (id, name) VALUES (90001, 'meanwhile')", move.stream.source)
                wait_until(lambda: move.target("SELECT count(*) FROM item WHERE id = 90001")[0][0] == 1, "the stream to go on")
                assert run.events("held") == []
                lingering.commit()
                assert run.wait() == 0
        move.stream.assert_equal()


def test_what_does_not_fit_is_refused(servers, binary):  # noqa: F811
    with move_of(servers, binary, rows=50) as move:
        stream = move.stream
        move.finish()
        assert "was begun with --online" in stream.run("run", check=False).stderr
        done = discard(move)
        assert done.returncode == 4 and "--verified-too" in done.stderr
        done = discard(move, "--verified-too")
        assert done.returncode == 0 and "migrate forget" in done.stdout
        # The stream is there still, and the rows are copied anew behind it.
        stream.source_server.execute("INSERT INTO item (name) VALUES ('between')", stream.source)
        move.finish()
        stream.assert_equal()
        stream.run("forget")
        done = stream.run("run", "--online", "--until-verified", check=False)
        assert done.returncode == 5 and "was given up" in done.stderr


def discard(move, *arguments):
    return move.of_the_target("discard", *arguments)


def test_a_table_that_cannot_be_followed_is_refused(servers, binary):  # noqa: F811
    with move_of(servers, binary, rows=50, text="INSERT INTO item (name) SELECT 'x' FROM generate_series(1, {0})",
                 schema="CREATE UNLOGGED TABLE item (id bigserial PRIMARY KEY, name text); CREATE TABLE other (id int PRIMARY KEY)") as move:
        done = move.stream.run("run", "--online", check=False)
        assert done.returncode == 5 and "public.item cannot be followed, because it is UNLOGGED" in done.stderr
        assert move.of_the_target("status").returncode == 3  # nothing was begun
        assert move.stream.source_server.execute("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()",
                                                 move.stream.source)[0][0] == 0
    # The changes of one partition would be missing, though those of its table are followed.
    with move_of(servers, binary, rows=50, text="INSERT INTO item (id, name) SELECT n, 'x' FROM generate_series(1, {0}) AS n",
                 schema="CREATE TABLE item (id bigint PRIMARY KEY, name text) PARTITION BY RANGE (id);"
                        "CREATE TABLE item_low PARTITION OF item FOR VALUES FROM (0) TO (20);"
                        "CREATE UNLOGGED TABLE item_high PARTITION OF item FOR VALUES FROM (20) TO (1000)") as move:
        done = move.stream.run("run", "--online", check=False)
        assert done.returncode == 5 and "public.item_high cannot be followed, because it is UNLOGGED" in done.stderr
    with move_of(servers, binary, rows=50, schema="CREATE TABLE item (id bigint, name text);",
                 text="INSERT INTO item SELECT n, 'x' FROM generate_series(1, {0}) AS n") as move:
        done = move.stream.run("run", "--online", check=False)
        assert done.returncode == 1 and "nothing tells rows of public.item apart" in done.stdout


def test_changes_are_not_followed_before_the_rows_are_there(servers, binary):  # noqa: F811
    """A follower that somebody starts meanwhile would apply changes to rows that are copied again later."""
    with move_of(servers, binary) as move, move.start("--until-verified", "--rate", "4") as run:
        move.wait_for_chunks(run, 2)
        run.kill()
        done = move.stream.run("follow", check=False)
        assert done.returncode == 5 and "are being copied" in done.stderr
        move.finish()
        move.stream.assert_equal()


def test_a_later_stream_from_another_source_loses_nothing(servers, binary):  # noqa: F811
    """Where the tables of an earlier move begin is a place of that source's log: in another's the same place comes much later."""
    tables = ("item", "line", "log", "account", "ledger")
    with move_of(servers, binary) as move, Postgres(LOGICAL) as elsewhere:
        write_elsewhere(move.stream.source_server)
        with move.start("--until-verified", "--rate", "4") as run:
            move.wait_for_chunks(run, 2)
            run.kill()
        move.finish()
        noted = "SELECT max(begins)::text FROM partywall_migration.stream_relation"
        begins = move.target(noted)[0][0]
        assert begins
        move.stream.run("forget")
        assert move.target(noted)[0][0] is None
        move.target("SET session_replication_role = replica; " + "; ".join(f"DELETE FROM {table}" for table in tables))

        database = elsewhere.create_database()
        elsewhere.execute(SCHEMA, database)
        elsewhere.execute(ROWS.format(50), database)
        assert elsewhere.execute(f"SELECT pg_current_wal_lsn() < '{begins}'")[0][0]
        stream = move.stream
        before = stream.source_server, stream.source, stream.source_url
        stream.source_server, stream.source, stream.source_url = elsewhere, database, elsewhere.url(database)
        try:
            stream.begin()
            elsewhere.execute("INSERT INTO item (id, name) VALUES (700, 'later'); UPDATE account SET balance = 7; DELETE FROM line WHERE item = 3;"
                              "INSERT INTO log VALUES ('2024-06-06', 'later')", database)
            stream.catch_up()
            assert elsewhere.execute(f"SELECT pg_current_wal_lsn() < '{begins}'")[0][0]
            stream.assert_equal()
            stream.run("forget")
        finally:
            stream.source_server, stream.source, stream.source_url = before


def test_another_tenant_sees_and_loses_nothing(servers, binary):  # noqa: F811
    """Rows of B are in the same tables with the same keys: the copy, a restart of it and the stream leave them alone."""
    with move_of(servers, binary) as move:
        move.target(f"SET session_replication_role = replica; INSERT INTO item (tenant_id, id, name) SELECT '{TENANT_B}', n, 'of b' FROM generate_series(1, 100) AS n")
        move.target(f"SET session_replication_role = replica; INSERT INTO log (tenant_id, at, text) SELECT '{TENANT_B}', '2024-05-05', 'the same'")
        before = move.target(f"SELECT count(*), md5(string_agg(id || name, ',' ORDER BY id)) FROM item WHERE tenant_id = '{TENANT_B}'")
        with writers(move.stream, 2):
            with move.start("--until-verified", "--rate", "4") as run:
                move.wait_for_chunks(run, 2)
                run.kill()
            move.finish()
        move.stream.source_server.execute("TRUNCATE log; DELETE FROM line; UPDATE item SET name = 'all'", move.stream.source)
        move.finish()
        assert move.target(f"SELECT count(*), md5(string_agg(id || name, ',' ORDER BY id)) FROM item WHERE tenant_id = '{TENANT_B}'") == before
        assert move.target(f"SELECT count(*) FROM log WHERE tenant_id = '{TENANT_B}'")[0][0] == 1
        # The notes say where the source is, which tables it has and how much: they are not a tenant's to read.
        with move.stream.shared.connect_slot(2, TENANT_B) as other:
            for table in ("migration", "stream", "stream_relation"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                    other.execute(f"SELECT * FROM partywall_migration.{table}")
