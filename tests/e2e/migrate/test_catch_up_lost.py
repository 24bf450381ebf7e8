"""What would lose changes without a word: it is noticed, said, and ends with exit status 5."""
import subprocess
import time

import pytest
from streams import LOGICAL, servers, stream_of, wait_for_lsn, write_elsewhere  # noqa: F401
from support.postgres import Postgres
from support.waiting import wait_until

SCHEMA = "CREATE TABLE item (id int PRIMARY KEY, name text)"
PARTED = SCHEMA + """;
CREATE TABLE payment (id int, month int, PRIMARY KEY (id, month)) PARTITION BY LIST (month);
CREATE TABLE payment_1 PARTITION OF payment FOR VALUES IN (1)"""
CONFIRMED = "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE database = current_database()"


def change(stream, *statements):
    for statement in statements:
        stream.source_server.execute(statement, stream.source)


def confirmed(stream):
    return stream.source_server.execute(CONFIRMED, stream.source)[0][0]


def ids(stream):
    with stream.shared.connect_slot(1, stream.tenant) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM item ORDER BY id").fetchall()]


def let_the_slot_move_on(stream):
    """While nothing of the source is for the target."""
    before = confirmed(stream)
    write_elsewhere(stream.source_server)
    wait_until(lambda: stream.source_server.execute(f"SELECT ({CONFIRMED}) > '{before}'", stream.source)[0][0], "the slot to move on")


def test_a_target_that_was_restored_is_noticed(servers, binary):  # noqa: F811
    with Postgres(LOGICAL) as target, stream_of((servers[0], target), binary, SCHEMA) as stream:
        stream.begin()
        change(stream, "INSERT INTO item VALUES (1, 'saved')")
        stream.catch_up()
        target.stop()
        saved = target.folder / "saved"
        subprocess.run(["cp", "-a", target.data, saved], check=True)
        target.start()
        with stream.follow() as follower:
            change(stream, "INSERT INTO item VALUES (2, 'not saved')")
            wait_for_lsn(follower, stream.position())
            let_the_slot_move_on(stream)
            target.stop()
            target.data.rename(target.folder / "lost")
            saved.rename(target.data)
            target.start()
            assert follower.wait() == 5  # the same process, when it has connected again
            assert "was restored, or has failed over" in follower.log()
        done = stream.run("follow", check=False)
        assert done.returncode == 5
        assert "was restored, or has failed over" in done.stderr and "migrate forget" in done.stderr
        assert ids(stream) == [1]


def test_what_is_confirmed_survives_a_crash_of_the_target(servers, binary):  # noqa: F811
    """Also while it had nothing to apply: only what it has noted on its disk was confirmed."""
    with Postgres(LOGICAL) as target, stream_of((servers[0], target), binary, SCHEMA) as stream:
        stream.begin()
        with stream.follow() as follower:
            for number in range(3):
                change(stream, f"INSERT INTO item VALUES ({number}, 'x')")
                let_the_slot_move_on(stream)
                target.crash()
                target.start()
            wait_for_lsn(follower, stream.position())
            assert follower.stop() == 0
        stream.catch_up()
        stream.assert_equal()


def test_a_source_that_is_followed_can_be_shut_down(binary):
    """It waits until all its log is confirmed, also what was not for the target."""
    with Postgres(LOGICAL) as source, Postgres(LOGICAL) as target, stream_of((source, target), binary, SCHEMA) as stream:
        stream.begin()
        with stream.follow() as follower:
            follower.wait_for("status")
            write_elsewhere(source)
            began = time.monotonic()
            source.restart()
            assert time.monotonic() - began < 20
            change(stream, "INSERT INTO item VALUES (1, 'after')")
            wait_for_lsn(follower, stream.position())
            assert follower.stop() == 0
        stream.assert_equal()


def test_a_table_that_is_made_again_stops_the_stream(servers, binary):  # noqa: F811
    with stream_of(servers, binary, SCHEMA + "; CREATE TABLE other (id int PRIMARY KEY)") as stream:
        stream.begin()
        with stream.follow() as follower:
            follower.wait_for("status")
            change(stream, "BEGIN; DROP TABLE item; " + SCHEMA + "; INSERT INTO item VALUES (1, 'unseen'); COMMIT")
            assert follower.wait() == 5
            assert "public.item is in the stream no longer" in follower.log()
        assert stream.run("follow", check=False).returncode == 5


def test_a_new_partition_stops_the_stream_until_the_target_has_it(servers, binary):  # noqa: F811
    with stream_of(servers, binary, PARTED) as stream:
        stream.begin()
        with stream.follow() as follower:
            follower.wait_for("status")
            change(stream, "CREATE TABLE payment_2 PARTITION OF payment FOR VALUES IN (2)")
            assert follower.wait() == 5
            assert "partition public.payment_2 of public.payment is new" in follower.log()
        change(stream, "INSERT INTO payment VALUES (1, 2)")
        with stream.target_connection() as connection:
            connection.execute("CREATE TABLE payment_2 PARTITION OF payment FOR VALUES IN (2)")
        stream.catch_up()
        stream.assert_equal()


def test_a_partition_that_is_detached_stops_the_stream(servers, binary):  # noqa: F811
    with stream_of(servers, binary, PARTED) as stream:
        stream.begin()
        with stream.follow() as follower:
            follower.wait_for("status")
            change(stream, "ALTER TABLE payment DETACH PARTITION payment_1", "INSERT INTO payment_1 VALUES (1, 1)")
            assert follower.wait() == 5
            assert "public.payment_1 is in the stream no longer" in follower.log()


def test_a_partitioned_table_can_be_left_out(servers, binary):  # noqa: F811
    rules = {"version": 1, "tables": {"public.payment": {"class": "excluded"}}}
    with stream_of(servers, binary, PARTED, rules=rules) as stream:
        stream.begin()
        change(stream, "INSERT INTO payment VALUES (1, 1)", "INSERT INTO item VALUES (1, 'x')")
        stream.catch_up()
        assert ids(stream) == [1]


def test_a_slot_that_is_dropped_while_it_is_followed(servers, binary):  # noqa: F811
    """The walsender is ended, and the slot is gone before the follower is back."""
    with stream_of(servers, binary, SCHEMA) as stream:
        stream.begin()
        with stream.follow() as follower:
            follower.wait_for("status")
            with stream.source_connection() as connection:
                name = connection.execute("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()").fetchone()[0]
                wait_until(lambda: drop(connection, name), "the slot to be dropped")
            assert follower.wait() == 5
            assert "is gone" in follower.log() and "migrate forget" in follower.log()


def drop(connection, name):
    connection.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active", [name])
    return connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active", [name]).fetchall()


@pytest.mark.parametrize("kind", ["ALWAYS", "REPLICA"])
def test_a_trigger_that_would_act_a_second_time_is_refused(servers, binary, kind):  # noqa: F811
    with stream_of(servers, binary, SCHEMA) as stream:
        stream.begin()
        with stream.target_connection() as connection:
            connection.execute("CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.name := 'spoilt'; RETURN NEW; END$$")
            connection.execute("CREATE TRIGGER spoil BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION spoil()")
            connection.execute(f"ALTER TABLE item ENABLE {kind} TRIGGER spoil")
        done = stream.run("follow", check=False)
        assert done.returncode == 5 and "spoil" in done.stderr and "ENABLE ALWAYS or REPLICA" in done.stderr


def test_fences_of_others_cannot_fill_the_memory(servers, binary):  # noqa: F811
    """Everybody who may connect can write such messages."""
    with stream_of(servers, binary, SCHEMA) as stream:
        stream.begin()
        with stream.follow() as follower:
            change(stream, "SELECT pg_logical_emit_message(true, 'partywall', repeat('x', 1000000)) FROM generate_series(1, 20)",
                   "SELECT pg_logical_emit_message(true, 'partywall', 'n' || n) FROM generate_series(1, 1000) n",
                   "SELECT pg_logical_emit_message(true, 'partywall', 'mine')")
            follower.wait_for("fence", content="mine")
            assert [event["content"] for event in follower.events("fence")] == [f"n{n}" for n in range(1, 17)] + ["mine"]
            assert follower.stop() == 0
