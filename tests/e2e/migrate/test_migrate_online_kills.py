"""kill -9 of the tool, the source or the target in each state of an online move, under load: it goes on, and every write is there once."""
import random
import time

import pytest
from online import move_of, writers
from streams import LOGICAL, servers  # noqa: F401
from support.postgres import Postgres
from support.waiting import wait_until

# A crash must lose no acknowledged write of the source by itself.
DURABLE = LOGICAL | {"fsync": "off", "synchronous_commit": "on"}
STATES = ("copy", "catch_up", "verify")


@pytest.fixture(scope="module")
def fragile():
    """Two servers that are killed."""
    with Postgres(DURABLE) as source, Postgres(DURABLE) as target:
        yield source, target


def get_into(move, run, state):
    """Waits until the move is in this state."""
    if state == "copy":
        move.wait_for_chunks(run, 5)
    elif state == "catch_up":
        run.wait_for("state", state="catching_up")
    else:
        run.wait_for("verifying")


def crash(server):
    server.crash()
    time.sleep(0.2)
    server.start()


@pytest.mark.parametrize("state", STATES)
def test_the_tool_is_killed(servers, binary, state):  # noqa: F811
    with move_of(servers, binary) as move, writers(move.stream) as ledgers:
        with move.start("--until-verified", "--rate", "6") as run:
            get_into(move, run, state)
            run.kill()
        events = move.finish()
        names = [event["event"] for event in events]
        # Half of a table is copied again under a new snapshot, and what was whole is not.
        assert ("snapshot" in names) == (state == "copy") == ("relation" in names)
        for one in ledgers:
            one.stop()
        move.finish()
        assert move.assert_nothing_lost(ledgers) > 50


def test_what_was_whole_is_not_copied_again(servers, binary):  # noqa: F811
    """Its changes since the first snapshot come with the stream; those of the others from the second snapshot on."""
    with move_of(servers, binary) as move, writers(move.stream) as ledgers:
        with move.start("--until-verified", "--rate", "8", "--workers", "1") as run:
            done = "SELECT relation FROM partywall_migration.chunk GROUP BY relation HAVING bool_and(done_at IS NOT NULL)"
            run.wait_for("prepared")
            wait_until(lambda: len(move.target(done)) >= 1, "a whole table", patience=120)
            run.kill()
        whole = {row[0] for row in move.target(done)}
        assert len(whole) < 5
        ages = "SELECT relation, min(done_at), max(done_at) FROM partywall_migration.chunk GROUP BY relation"
        before = {row[0]: row for row in move.target(ages) if row[0] in whole}
        move.finish()
        assert {row[0]: row for row in move.target(ages) if row[0] in whole} == before
        later = {row[0] for row in move.target("SELECT relation FROM partywall_migration.stream_relation")}
        assert later and later.isdisjoint(whole)
        for one in ledgers:
            one.stop()
        # A follower of its own honours these places too.
        move.stream.catch_up()
        move.assert_nothing_lost(ledgers)
        move.finish()


@pytest.mark.parametrize("which", ["source", "target"])
@pytest.mark.parametrize("state", STATES)
def test_a_server_is_killed(fragile, binary, which, state):
    with move_of(fragile, binary) as move, writers(move.stream) as ledgers:
        with move.start("--until-verified", "--rate", "6") as run:
            get_into(move, run, state)
            crash(fragile[0] if which == "source" else fragile[1])
            # It goes on by itself, or says what to do: run it again.
            assert run.wait() in (0, 6), run.log()
        for one in ledgers:
            one.stop()
        move.finish()
        assert move.assert_nothing_lost(ledgers) > 50


def kill_at_random(fragile, binary, seed, rounds):
    dice = random.Random(seed)
    with move_of(fragile, binary) as move, writers(move.stream, 2) as ledgers:
        for _ in range(rounds):
            with move.start("--rate", str(dice.choice((6, 12, 60))), "--workers", str(dice.randint(1, 3))) as run:
                time.sleep(dice.uniform(0, 4))
                victim = dice.choice(("tool", "tool", "tool", "source", "target"))
                if victim != "tool":
                    crash(fragile[0] if victim == "source" else fragile[1])
                    time.sleep(dice.uniform(0, 1))
                run.kill()
        for one in ledgers:
            one.stop()
        move.finish()
        move.assert_nothing_lost(ledgers)


def test_kills_at_random(fragile, binary):
    kill_at_random(fragile, binary, 1, 5)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_kills_again_and_again(fragile, binary, seed):
    kill_at_random(fragile, binary, seed, 10)


