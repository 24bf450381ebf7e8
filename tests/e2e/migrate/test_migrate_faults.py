"""Verification finds every fault, says which row it is, and the copy neither reads nor touches another tenant's rows."""
import random

import pytest
from conversion import load
from migration import digests, prepared
from support.register import TENANT_A, TENANT_B

SCHEMA = """
CREATE TABLE account (id bigint PRIMARY KEY, name text NOT NULL, balance numeric(12, 2), opened date);
CREATE TABLE place (country text, code text, note text, PRIMARY KEY (country, code));
CREATE TABLE event (at timestamptz, kind text, payload jsonb);
CREATE TABLE document (id uuid PRIMARY KEY, body text NOT NULL);
ALTER TABLE document ALTER body SET STORAGE EXTERNAL;
INSERT INTO account SELECT i, 'name ' || i, i * 1.25, '2020-01-01'::date + (i % 900)::int FROM generate_series(1, 5000) AS i;
INSERT INTO place SELECT 'c' || (i % 50), 'ä' || i, repeat('n', i % 40) FROM generate_series(1, 3000) AS i;
INSERT INTO event SELECT '2024-01-01'::timestamptz + make_interval(secs => i), 'kind ' || i % 7, jsonb_build_object('n', i) FROM generate_series(1, 4000) AS i;
INSERT INTO document SELECT md5(i::text)::uuid, repeat(md5(i::text), 300) FROM generate_series(1, 300) AS i;
"""
KEYS = {"account": "id", "place": "country, code", "event": "at, kind, payload", "document": "id"}
CHANGES = {"account": "balance = balance + 0.01", "place": "note = note || ' '", "event": "payload = payload || '{\"x\": null}'",
           # Nothing but the value out of line: as long as before, one character is another.
           "document": "body = overlay(body PLACING 'X' FROM 9000 FOR 1)"}


@pytest.fixture(scope="module")
def copied(postgres, binary):
    source = postgres.create_database()
    postgres.execute(SCHEMA, source)
    tool = prepared(postgres, binary, source, {"acme": TENANT_A, "globex": TENANT_B})
    tool.run("acme")
    tool.run("globex")
    yield source, tool
    tool.target.remove()
    postgres.drop_database(source)


def inject(connection, dice, kind):
    """One fault in one row of the tenant; (table, kind that is to be reported)."""
    table = dice.choice(list(KEYS) if kind != "toast" else ["document"])
    if kind == "doubled":
        table = "event"  # the only one without a key that refuses it
    columns = ", ".join(row[0] for row in connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attname <> 'tenant_id' ORDER BY attnum",
        [table]).fetchall())
    place = connection.execute(f"SELECT ctid::text FROM {table} WHERE tenant_id = %s ORDER BY {KEYS[table]} OFFSET %s LIMIT 1",
                               [TENANT_A, dice.randrange(250)]).fetchone()[0]
    row = f"FROM {table} WHERE ctid = '{place}'"
    if kind in ("changed", "toast"):
        assert connection.execute(f"UPDATE {table} SET {CHANGES[table]} WHERE ctid = '{place}'").rowcount == 1
        # Where the whole row is its key, another one is there.
        return table, {"missing", "extra"} if table == "event" else {"changed"}
    if kind == "missing":
        assert connection.execute(f"DELETE {row}").rowcount == 1
        return table, {"missing"}
    if kind == "doubled":
        assert connection.execute(f"INSERT INTO {table} (tenant_id, {columns}) SELECT tenant_id, {columns} {row}").rowcount == 1
        return table, {"doubled"}
    other = {"account": "-id", "place": "'zz'", "event": "at - interval '9 years'", "document": "gen_random_uuid()"}[table]
    values = columns.replace(columns.split(", ")[0], other, 1)
    assert connection.execute(f"INSERT INTO {table} (tenant_id, {columns}) SELECT tenant_id, {values} {row}").rowcount == 1
    return table, {"extra"}


@pytest.mark.parametrize("faults", [10, pytest.param(100, marks=pytest.mark.long)])
def test_every_injected_fault_is_found(copied, postgres, faults):
    """Each in a database that was equal, found with its table, its kind and its row."""
    _, tool = copied
    dice = random.Random(8)
    found = 0
    with postgres.connect(tool.target.name, autocommit=False) as connection:
        for number in range(faults):
            kind = ("changed", "missing", "extra", "doubled", "toast")[number % 5]
            table, kinds = inject(connection, dice, kind)
            connection.commit()
            status, events = tool.events("verify", "acme")
            assert status == 1, f"fault {number} ({kind} in {table}) was not found"
            wrong = [one for one in events if one["event"] == "compared" and not one["equal"]]
            assert [one["relation"] for one in wrong] == [f"public.{table}"]
            assert {one["kind"] for one in wrong[0]["differences"]} == kinds and not wrong[0]["has_more"]
            found += 1
            restore(connection, table)
    assert found == faults
    status, _ = tool.events("verify", "acme")
    assert status == 0


def restore(connection, table):
    """The other tenant's rows of the same source are what this one's were."""
    columns = ", ".join(row[0] for row in connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attname <> 'tenant_id' ORDER BY attnum",
        [table]).fetchall())
    connection.execute(f"DELETE FROM {table} WHERE tenant_id = %s", [TENANT_A])
    connection.execute(f"INSERT INTO {table} (tenant_id, {columns}) SELECT %s, {columns} FROM {table} WHERE tenant_id = %s",
                       [TENANT_A, TENANT_B])
    connection.commit()


def test_differences_name_the_rows(copied, postgres):
    _, tool = copied
    with postgres.connect(tool.target.name) as connection:
        connection.execute("UPDATE account SET name = 'wrong' WHERE tenant_id = %s AND id = 4711", [TENANT_A])
        connection.execute("DELETE FROM place WHERE tenant_id = %s AND code = 'ä17'", [TENANT_A])
        done = tool.call("verify", "acme")
        restore(connection, "account")
        restore(connection, "place")
    assert done.returncode == 1
    assert "public.account differs: 5,000 rows in the source, 5,000 in the target\n  changed (4711)" in done.stdout
    assert "missing (c17,ä17)" in done.stdout


def test_a_table_that_is_gone_altogether_is_reported_within_bounds(copied, postgres):
    _, tool = copied
    with postgres.connect(tool.target.name) as connection:
        connection.execute("DELETE FROM account WHERE tenant_id = %s", [TENANT_A])
        status, events = tool.events("verify", "acme")
        restore(connection, "account")
    wrong = [one for one in events if one["event"] == "compared" and not one["equal"]]
    assert status == 1 and len(wrong) == 1
    assert len(wrong[0]["differences"]) == 100 and wrong[0]["has_more"]


def test_rows_that_refer_to_nothing_are_found(postgres, binary):
    source = load(postgres, "chinook")
    tool = prepared(postgres, binary, source, {"acme": TENANT_A})
    with postgres.connect(source) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE track SET album_id = 999999 WHERE track_id < 4")
    status, events = tool.events("run", "acme")
    assert status == 1
    broken = next(one for one in events if one["event"] == "references")["broken"]
    assert [(one["constraint"].split(" on ")[1], one["rows"]) for one in broken] == [("public.track", 3)]
    assert all(one["equal"] for one in events if one["event"] == "compared")
    assert tool.status("acme")["state"] == "copied"
    tool.target.remove()
    postgres.drop_database(source)


def test_who_wrote_to_the_target_is_not_overwritten(postgres, binary):
    """The source has not changed, so the copy does not repair what differs by deleting it."""
    source = postgres.create_database()
    postgres.execute(SCHEMA, source)
    tool = prepared(postgres, binary, source, {"acme": TENANT_A})
    tool.target.execute("CREATE FUNCTION public.spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := ''x''; RETURN NEW; END'")
    tool.target.execute("CREATE TRIGGER spoil BEFORE INSERT ON account FOR EACH ROW WHEN (NEW.id = 7) EXECUTE FUNCTION public.spoil()")
    tool.target.execute("ALTER TABLE account ENABLE ALWAYS TRIGGER spoil")
    refused = tool.call("run", "acme")
    assert refused.returncode == 1 and "spoil on public.account" in refused.stderr
    tool.target.execute("ALTER TABLE account DISABLE TRIGGER spoil")
    tool.run("acme")
    tool.target.execute("UPDATE partywall_migration.migration SET state = 'copied'")
    tool.target.execute("UPDATE account SET name = 'kept' WHERE id = 8")
    done = tool.call("run", "acme")
    assert done.returncode == 1 and "find out who wrote to it" in done.stdout
    assert tool.target.execute("SELECT name FROM account WHERE id = 8") == [("kept",)]
    tool.target.remove()
    postgres.drop_database(source)


def test_migrating_one_tenant_changes_no_row_of_another(copied, postgres):
    """Same ids, same keys: only the tenant tells them apart."""
    source, tool = copied
    tables = {f"public.{table}": [columns] for table, columns in KEYS.items()}
    with postgres.connect(tool.target.name) as connection:
        before = digests(connection, tables, TENANT_B)
        places = connection.execute("SELECT tableoid, ctid, xmin FROM public.account WHERE tenant_id = %s", [TENANT_B]).fetchall()
        assert tool.call("discard", "acme", "--verified-too").returncode == 0
        assert digests(connection, tables, TENANT_B) == before
        tool.run("acme")
        assert digests(connection, tables, TENANT_B) == before
        assert connection.execute("SELECT tableoid, ctid, xmin FROM public.account WHERE tenant_id = %s", [TENANT_B]).fetchall() == places


def test_a_source_with_a_tenant_column_is_refused(copied, postgres):
    """Its own idea of a tenant must not become ours."""
    _, tool = copied
    hostile = postgres.create_database()
    postgres.execute(SCHEMA + "ALTER TABLE account ADD tenant_id uuid", hostile)
    done = tool.call("preflight", "acme", source=postgres.url(hostile))
    assert done.returncode == 1 and "has a column tenant_id of its own" in done.stdout
    postgres.drop_database(hostile)


def test_tenants_cannot_read_or_write_the_progress(copied):
    _, tool = copied
    with tool.target.connect_slot(1, TENANT_B) as slot:
        for statement in ("SELECT * FROM partywall_migration.migration", "DELETE FROM partywall_migration.chunk",
                          "CREATE TABLE partywall_migration.mine ()"):
            with pytest.raises(Exception, match="permission denied for schema partywall_migration"):
                slot.execute(statement)


def test_rows_of_the_tenant_that_are_there_already_are_never_mixed_in(postgres, binary):
    source = postgres.create_database()
    postgres.execute(SCHEMA, source)
    tool = prepared(postgres, binary, source, {"acme": TENANT_A})
    tool.target.execute(f"INSERT INTO account (tenant_id, id, name) VALUES ('{TENANT_A}', -5, 'older')")
    done = tool.call("run", "acme")
    assert done.returncode == 1 and "the tenant has rows already in public.account" in done.stderr
    assert tool.target.execute("SELECT id FROM account") == [(-5,)]
    tool.target.remove()
    postgres.drop_database(source)


def test_rows_that_row_level_security_would_hide_are_not_left_out(postgres, binary):
    source = postgres.create_database()
    postgres.execute(SCHEMA, source)
    tool = prepared(postgres, binary, source, {"acme": TENANT_A})
    postgres.execute("CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT pg_read_all_data TO reader")
    # Only after the conversion, which refuses policies.
    postgres.execute("ALTER TABLE account ENABLE ROW LEVEL SECURITY", source)
    done = tool.call("run", "acme", source=postgres.url(source, "reader", "r"))
    assert done.returncode == 1 and "row-level security may hide rows of public.account" in done.stderr
    tool.target.remove()
    postgres.drop_database(source)
    postgres.execute("DROP ROLE reader")


def test_preflight_names_what_and_what_to_do(postgres, binary):
    source = load(postgres, "northwind")
    tool = prepared(postgres, binary, source, {"acme": TENANT_A})
    status, events = tool.events("preflight", "acme")
    assert status == 0
    found = {one["message"]: one for one in events[0]["findings"]}
    assert any("wal_level is replica" in message for message in found)
    assert all(one["remedy"] or one["level"] != "error" for one in found.values())
    postgres.execute("SELECT lo_create(0)", source)
    postgres.execute("ALTER TABLE customers ADD more text", source)
    status, events = tool.events("preflight", "acme")
    errors = [one for one in events[0]["findings"] if one["level"] == "error"]
    assert status == 1 and len(errors) == 2
    assert any("large objects" in one["message"] for one in errors)
    assert any("schema convert" in one["remedy"] and "more" in one["message"] for one in errors)
    postgres.execute("CREATE ROLE weak LOGIN PASSWORD 'w'")
    postgres.execute(f"GRANT CONNECT ON DATABASE {tool.target.name} TO weak")
    weak = tool.target.environment() | {"PGUSER": "weak", "PGPASSWORD": "w"}
    tool.target.environment = lambda: weak
    _, events = tool.events("preflight", "acme")
    messages = " ".join(one["message"] for one in events[0]["findings"] if one["level"] == "error")
    for part in ("row-level security applies", "session_replication_role", "partywall_migration"):
        assert part in messages
    tool.target.remove()
    postgres.drop_database(source)
    postgres.execute("DROP ROLE weak")
