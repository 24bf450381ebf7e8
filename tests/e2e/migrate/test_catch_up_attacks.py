"""Whatever a customer's database does, its stream touches no row of another tenant; and streams in both directions do not feed each other."""
import threading

from streams import servers, stream_of  # noqa: F401
from support.register import TENANT_A, TENANT_B
from support.waiting import wait_until

SCHEMA = "CREATE TABLE item (id int PRIMARY KEY, name text, owner uuid)"


def rows_of(stream, tenant):
    with stream.target_connection() as connection:
        return connection.execute("SELECT id, name FROM item WHERE tenant_id = %s ORDER BY id", [tenant]).fetchall()


def write(stream, *statements):
    with stream.source_connection() as connection:
        for statement in statements:
            connection.execute(statement)


def test_rows_of_another_tenant_with_the_same_keys_stay(servers, binary):  # noqa: F811
    with stream_of(servers, binary, SCHEMA, "INSERT INTO item VALUES (1, 'a'), (2, 'a')") as a:
        with stream_of(servers, binary, SCHEMA, "INSERT INTO item VALUES (1, 'b'), (2, 'b'), (3, 'b')", tenant=TENANT_B, target=a.shared) as b:
            a.begin()
            b.begin()
            write(a, "UPDATE item SET name = 'changed'", "UPDATE item SET id = 3 WHERE id = 1", "DELETE FROM item WHERE id = 2",
                  f"UPDATE item SET owner = '{TENANT_B}'", "INSERT INTO item VALUES (2, 'mine')", "UPDATE item SET id = 1 WHERE id = 2")
            a.catch_up()
            assert rows_of(a, TENANT_A) == [(1, "mine"), (3, "changed")]
            assert rows_of(a, TENANT_B) == [(1, "b"), (2, "b"), (3, "b")]
            write(a, "TRUNCATE item")
            a.catch_up()
            assert rows_of(a, TENANT_A) == []
            assert rows_of(a, TENANT_B) == [(1, "b"), (2, "b"), (3, "b")]


def test_a_source_cannot_say_whose_its_rows_are(servers, binary):  # noqa: F811
    """A column with the tenant column's name, that holds another tenant."""
    with stream_of(servers, binary, SCHEMA) as stream:
        stream.begin()
        write(stream, f"ALTER TABLE item ADD COLUMN tenant_id uuid DEFAULT '{TENANT_B}'", f"INSERT INTO item (id, tenant_id) VALUES (1, '{TENANT_B}')")
        done = stream.run("follow", check=False)
        assert done.returncode == 5
        assert "has a column tenant_id of its own, where the target has the tenant" in done.stderr
        assert rows_of(stream, TENANT_B) == []


def test_a_column_that_becomes_the_tenants_stops_the_stream(servers, binary):  # noqa: F811
    """The same while it is followed: the description in the stream has changed."""
    with stream_of(servers, binary, SCHEMA) as stream:
        stream.begin()
        with stream.follow() as follower:
            follower.wait_for("status")
            write(stream, "ALTER TABLE item RENAME COLUMN owner TO tenant_id", f"INSERT INTO item VALUES (1, 'x', '{TENANT_B}')")
            assert follower.wait() == 5
            assert "has a column tenant_id of its own" in follower.log()
        assert rows_of(stream, TENANT_A) == rows_of(stream, TENANT_B) == []


def test_values_are_values(servers, binary):  # noqa: F811
    """Text that would be SQL, and names that need quotes."""
    schema = 'CREATE TABLE "odd "" name" ("the; key" text PRIMARY KEY, "$1" text); ' + SCHEMA
    with stream_of(servers, binary, schema) as stream:
        stream.begin()
        evil = f"x'', $1) ; DELETE FROM item; -- \\ {TENANT_B}"
        write(stream, f"""INSERT INTO "odd "" name" VALUES ('{evil}', E'\\\\')""", f"""UPDATE "odd "" name" SET "$1" = '{evil}', "the; key" = '"'""")
        stream.catch_up()
        stream.assert_equal()


def back(stream):
    """The arguments of the stream in the other direction."""
    return {"source": stream.target_url, "target": stream.source_url}


def test_from_a_shared_database_only_the_tenants_rows_come(servers, binary):  # noqa: F811
    with stream_of(servers, binary, SCHEMA) as stream:
        with stream.follow(command="slot", **back(stream)) as slot:
            slot.wait_for("prepared")
        with stream.target_connection() as connection:
            connection.execute("INSERT INTO item (tenant_id, id, name) VALUES (%s, 1, 'a'), (%s, 1, 'b'), (%s, 2, 'b')", [TENANT_A, TENANT_B, TENANT_B])
            connection.execute("UPDATE item SET name = name || '!' WHERE id = 1")
            connection.execute("DELETE FROM item WHERE id = 2")
            connection.execute("INSERT INTO item (tenant_id, id, name) VALUES (%s, 3, 'moves'), (%s, 4, 'moves')", [TENANT_A, TENANT_B])
            connection.execute("UPDATE item SET tenant_id = %s WHERE id = 3", [TENANT_B])
            connection.execute("UPDATE item SET tenant_id = %s WHERE id = 4", [TENANT_A])
            place = connection.execute("SELECT pg_current_wal_insert_lsn()").fetchone()[0]
        stream.run("follow", "--until-lsn", place, **back(stream))
        assert stream.source_server.execute("SELECT id, name FROM item ORDER BY id", stream.source) == [(1, "a!"), (4, "moves")]
        stream.run("forget", **back(stream))


def test_streams_in_both_directions_do_not_feed_each_other(servers, binary):  # noqa: F811
    with stream_of(servers, binary, SCHEMA) as stream:
        stream.begin()
        with stream.follow(command="slot", **back(stream)) as slot:
            slot.wait_for("prepared")
        with stream.follow() as there, stream.follow(**back(stream)) as again:
            def write_there():
                for n in range(150):
                    write(stream, f"INSERT INTO item VALUES ({n}, 'from the source')", f"UPDATE item SET name = name || '!' WHERE id = {n}")

            def write_back():
                with stream.target_connection() as connection:
                    for n in range(1000, 1150):
                        connection.execute("INSERT INTO item (tenant_id, id, name) VALUES (%s, %s, 'from the target')", [TENANT_A, n])
                        connection.execute("UPDATE item SET name = name || '?' WHERE tenant_id = %s AND id = %s", [TENANT_A, n])
            writers = [threading.Thread(target=write_there), threading.Thread(target=write_back)]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            wait_until(lambda: stream.source_server.execute("SELECT count(*), count(*) FILTER (WHERE name ~ '[!?]$') FROM item", stream.source) == [(300, 300)], "the way back")
            wait_until(lambda: len(rows_of(stream, TENANT_A)) == 300, "the way there")
            # What each applied is exactly what the other side's application wrote: nothing came round.
            for follower in (there, again):
                seen = len(follower.events("status"))
                wait_until(lambda: len(follower.events("status")) > seen + 2, "time in which something could")
            for follower in (there, again):
                last = follower.events("status")[-1]
                assert (last["inserts"], last["updates"]) == (150, 150), follower.log()[-2000:]
                assert follower.stop() == 0
        stream.assert_equal()
        stream.run("forget", **back(stream))
