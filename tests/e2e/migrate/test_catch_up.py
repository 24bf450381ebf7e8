"""`partywall migrate follow` on the application schemas: random changes while rows are copied and followed, equal rows afterwards."""
import threading

import pytest
from conversion import FILES
from random_changes import RandomChanges
from streams import servers, stream_of, stream_of_data_set, wait_for_lsn  # noqa: F401


@pytest.mark.parametrize("name", list(FILES))
def test_random_changes_while_copying_and_following(servers, binary, name):  # noqa: F811
    with stream_of_data_set(servers, binary, name) as stream:
        with stream.follow(command="slot") as slot:
            prepared = slot.wait_for("prepared")
            with stream.source_connection() as writer:  # what the snapshot must not show, and the stream must have
                RandomChanges(writer, seed=1).transactions(30)
            stream.copy(prepared["snapshot"])
        done = {}
        with stream.follow() as follower:
            def write(seed):
                with stream.source_connection() as connection:
                    changes = RandomChanges(connection, seed)
                    changes.transactions(60)
                    done[seed] = changes
            writers = [threading.Thread(target=write, args=(seed,)) for seed in (2,)]
            for thread in writers:
                thread.start()
            for thread in writers:
                thread.join()
            wait_for_lsn(follower, stream.position())
            assert follower.stop() == 0, follower.log()
        assert all(done[2].done.values()), done[2].done
        stream.assert_equal()


def test_what_would_break_the_application_is_refused(servers, binary):  # noqa: F811
    schema = "CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE note (line text); CREATE TABLE late (id int PRIMARY KEY DEFERRABLE)"
    with stream_of(servers, binary, schema) as stream:
        done = stream.run("follow", check=False)
        assert done.returncode == 5
        for table in ("note", "late"):
            assert f"public.{table} has no key by which a change can name its row" in done.stderr
        assert "REPLICA IDENTITY FULL" in done.stderr and "public.item" not in done.stderr
        assert stream.source_server.execute("SELECT count(*) FROM pg_publication", stream.source) == [(0,)]
