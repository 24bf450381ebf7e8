"""COPY FROM on tables with row-level security does what it does on a plain table, and stays the tenant's own INSERT."""
import contextlib
import os
import random
import re
import struct

import psycopg
import psycopg2
import pytest
from sql_stack import TENANTS

SEEDS = range(300) if os.environ.get("PARTYWALL_LONG") else range(40)
COLUMNS = "id, a, b, n, code, at, tags, flag"
TABLE = """CREATE TABLE {name} ({tenant} id bigint, a text, b text, n numeric(6,2), code varchar(5), at timestamptz, tags text[],
    flag boolean, twice bigint GENERATED ALWAYS AS (id * 2) STORED, CHECK (n <> 13))"""


@pytest.fixture(scope="module")
def twins(stack):
    """The same table twice: protected in the door's database, plain in a schema that only the superuser sees."""
    with stack.superuser() as server:
        server.execute(f"SET ROLE {stack.owner}")
        server.execute(TABLE.format(name="items", tenant="tenant_id uuid NOT NULL,"))
        server.execute("CREATE TABLE numbered (tenant_id uuid NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, body text)")
        server.execute("CREATE TABLE many (tenant_id uuid NOT NULL, id bigint, body text)")
        server.execute("RESET ROLE")
        server.execute("CREATE SCHEMA plain")
        server.execute(TABLE.format(name="plain.items", tenant=""))
    stack.protect()
    with stack.connect("acme") as door, stack.superuser() as plain:
        plain.execute("SET search_path = plain")
        for connection in (door, plain):
            connection.execute("SET TimeZone = 'UTC'")
        yield door, plain


def copy(connection, statement, pieces, table="items"):
    """(rows that it says it copied, sorted rows) or (SQLSTATE, message, line, column); nothing stays."""
    try:
        with connection.transaction(force_rollback=True), connection.cursor() as cursor:
            with cursor.copy(statement) as copying:
                for piece in pieces:
                    copying.write(piece)
            copied = cursor.rowcount
            cursor.execute(f"SELECT {COLUMNS}, twice FROM {table}")
            return copied, sorted(map(repr, cursor.fetchall()))
    except psycopg.Error as error:
        place = re.search(r"COPY \w+, lines? (\d+)(?: to (\d+))?(?:, column (\w+))?", error.diag.context or "")
        return error.diag.sqlstate, error.diag.message_primary, place.groups() if place else None


# The door knows their lines only up to the batch (or the column where PostgreSQL tells none).
KNOWN_BY_BATCH = {"22001", "22003", "23514", "42501"}
WITHOUT_COLUMN = {"22021"}


def same(twins, statement, *pieces):
    door, plain = (copy(connection, statement, pieces) for connection in twins)
    assert door[:2] == plain[:2], (statement, pieces)
    if len(plain) == 3 and plain[2]:
        first, last, column = door[2]
        line = int(plain[2][0])
        assert int(first) <= line <= int(last or first), (statement, pieces)
        assert door[0] in KNOWN_BY_BATCH or not last, (statement, pieces)
        assert door[0] in KNOWN_BY_BATCH | WITHOUT_COLUMN or column == plain[2][2], (statement, pieces)
    return door


def test_text_csv_and_their_options(twins):
    rows = "1\tx\\ty\t\\N\t1.239\tabc\t2024-01-01 00:00+00\t{a,\"b c\"}\tt\n2\t\\\\N\t\t\\N\t\\N\t\\N\t\\N\tf\n".encode()
    assert same(twins, f"COPY items ({COLUMNS}) FROM STDIN", rows)[0] == 2
    assert same(twins, f"COPY items ({COLUMNS}) FROM STDIN", *[rows[i:i + 1] for i in range(len(rows))])[0] == 2
    assert same(twins, "COPY items (id, a) FROM STDIN CSV", b'1,"a ""q"", b"\r\n2,\r\n3,""\r\n')[0] == 3
    assert same(twins, "COPY items (id, a, b) FROM STDIN (FORMAT csv, HEADER, DELIMITER ';', NULL 'nil', FORCE_NOT_NULL (a), "
                "FORCE_NULL (b), ESCAPE '\\')", b'id;a;b\n1;nil;"nil"\n2;"x\\"y";z\n')[0] == 2
    assert same(twins, "COPY items (id, a) FROM STDIN WITH DELIMITER '|' NULL ''", b"1|\n2|x\\|y\n")[0] == 2
    assert same(twins, "COPY items (a) FROM STDIN", "grüße \U0001f600\n\\x41\\102\n".encode())[0] == 2
    assert same(twins, "COPY items (id) FROM STDIN")[0] == 0
    assert same(twins, "COPY items (id) FROM STDIN", b"1\n\\.\nrubbish\n")[0] == 1


@pytest.mark.parametrize("data", [b"1\tx\n2\n", b"1\tx\ty\n", b"1\tx\nz\ty\n", b"1\t\x00\n", b"1\t\\000\n", b"1\t\xff\n", b"1\tx\n2\ty\r\n",
                                  b"1\tx\n\\.z\n", b"99999999999999999999\tx\n", b"1\t\\xff\n"])
def test_malformed_data(twins, data):
    state, message, place = same(twins, "COPY items (id, a) FROM STDIN", data)
    assert state in ("22P04", "22P02", "22021", "22003") and place, message


def test_values_that_do_not_fit_their_columns(twins):
    assert same(twins, "COPY items (id, code) FROM STDIN", b"1\tabc\n2\tabcdef\n")[0] == "22001"
    assert same(twins, "COPY items (id, n) FROM STDIN", b"1\t1\n2\t12345.6\n")[0] == "22003"
    assert same(twins, "COPY items (id, n) FROM STDIN", b"5\t13\n")[0] == "23514"
    assert same(twins, "COPY items (id, tags) FROM STDIN", b"5\t{a\n")[0] == "22P02"
    assert same(twins, "COPY items (id, at) FROM STDIN", b"5\tnow\n6\tnever\n")[0] == "22007"


def test_what_postgres_itself_says_against_the_statement(twins):
    for statement in ("COPY nothing FROM STDIN", "COPY items (nothing) FROM STDIN", "COPY items (id, id) FROM STDIN",
                      "COPY items (twice) FROM STDIN"):
        assert same(twins, statement)[0] in ("42P01", "42703", "42701", "42P10")


def mutated(r):
    """Lines of two columns, some of them damaged."""
    alphabet = ["a", "7", "é", "\\", "\\N", "\\.", "\t", ",", '"', "\\t", "\\x4", "\\12", "'", ";", " "]
    end = r.choice(["\n", "\n", "\r\n", "\r"])
    lines = []
    for _ in range(r.randrange(1, 12)):
        fields = ["".join(r.choice(alphabet[:3] if r.random() < 0.7 else alphabet) for _ in range(r.randrange(5))) for _ in range(2)]
        lines.append(r.choice(["\t", ","]).join(f'"{one}"' if r.random() < 0.3 else one for one in fields))
    text = end.join(lines) + r.choice([end, end, ""])
    if r.random() < 0.2:
        at = r.randrange(len(text) + 1)
        text = text[:at] + r.choice(["\n", "\r", "\\", '"', "\\.\n", end]) + text[at:]
    return text.encode()


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_data_gives_the_same_rows_or_the_same_error(twins, seed):
    r = random.Random(seed)
    for _ in range(12):
        options = r.choice(["", "", "(FORMAT csv)", "(FORMAT csv, HEADER)", "(FORMAT csv, DELIMITER E'\\t', QUOTE '''')", "(DELIMITER ',')",
                            "(FORMAT csv, ESCAPE '\\', NULL 'a')", "(NULL '')"])
        same(twins, f"COPY items (a, b) FROM STDIN {options}", mutated(r))


def test_many_rows_are_one_statement(twins, stack):
    with stack.connect("acme", autocommit=True) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY many (id, body) FROM STDIN") as copying:
            for i in range(20_000):
                copying.write_row((i, f"body {i}" * (50 if i % 1_000 == 0 else 1)))
        assert cursor.rowcount == 20_000
        assert cursor.execute("SELECT count(*), sum(id), count(DISTINCT body) FROM many").fetchone() == (20_000, 199_990_000, 20_000)
        with pytest.raises(psycopg.errors.InvalidTextRepresentation) as failure:
            with cursor.copy("COPY many (id, body) FROM STDIN") as copying:
                for i in range(5_000):
                    copying.write_row((i if i != 4_567 else "x", "again"))
        assert "COPY many, line 4568, column id" in failure.value.diag.context
        assert cursor.execute("SELECT count(*) FROM many").fetchone() == (20_000,)
        cursor.execute("DELETE FROM many")


def binary(*rows):
    out = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
    for row in rows:
        out += struct.pack("!h", len(row)) + b"".join(struct.pack("!i", -1) if one is None else struct.pack("!i", len(one)) + one for one in row)
    return out + struct.pack("!h", -1)


def test_binary(twins):
    statement = "COPY items (id, a) FROM STDIN (FORMAT binary)"
    assert same(twins, statement, binary((struct.pack("!q", 7), b"x"), (struct.pack("!q", 8), None)))[0] == 2
    assert same(twins, statement, binary((struct.pack("!q", 7),)))[0] == "22P04"
    assert same(twins, statement, b"no binary data at all")[0] == "22P04"
    assert same(twins, statement, binary((b"abc", b"x")))[0] in ("22P03", "08P01")


def test_identity_columns_take_what_is_copied(stack, twins):
    with stack.connect("acme") as connection, connection.cursor() as cursor:
        with cursor.copy("COPY numbered (id, body) FROM STDIN") as copying:
            copying.write("70\tx\n")
        assert cursor.execute("SELECT id, tenant_id FROM numbered").fetchall() == [(70, TENANTS["acme"])]


def test_psycopg2(stack, twins):
    with contextlib.closing(psycopg2.connect(stack.dsn("acme"))) as connection, connection.cursor() as cursor:
        import io
        cursor.copy_from(io.StringIO("5\tfrom psycopg2\n6\t\\N\n"), "items", columns=("id", "a"))
        assert cursor.rowcount == 2
        cursor.copy_expert("COPY items (id, a) FROM STDIN CSV", io.StringIO("7,x\n"))
        cursor.execute("SELECT id, a FROM items ORDER BY id")
        assert cursor.fetchall() == [(5, "from psycopg2"), (6, None), (7, "x")]
        connection.rollback()


def test_psql(stack, twins):
    done = stack.psql("-c", "BEGIN", "-c", "\\copy items (id, a) FROM STDIN", "-c", "SELECT id, a FROM items", "-c", "ROLLBACK", text="1\tx\n\\.\n")
    assert done.stdout.splitlines()[-1] == "1|x"


def test_a_carried_context(stack, twins):
    with stack.connect("app", autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL app.current_tenant = '{stack.context('globex')}'")
        with cursor.copy("COPY items (id, a) FROM STDIN") as copying:
            copying.write("1\tof globex\n")
        assert cursor.execute("SELECT tenant_id, a FROM items").fetchall() == [(TENANTS["globex"], "of globex")]
        connection.rollback()


def test_nothing_is_written_for_a_neighbour(stack, twins):
    """The attack: rows that name another tenant, in every format, at the front and behind 600 good ones."""
    globex = str(TENANTS["globex"])
    good = "".join(f"{TENANTS['acme']}\t{i}\n" for i in range(600))
    with stack.connect("acme") as connection:
        for statement, data in (("COPY items (tenant_id, id) FROM STDIN", f"{globex}\t1\n".encode()),
                                ("COPY items (tenant_id, id) FROM STDIN", (good + f"{globex}\t1\n").encode()),
                                ("COPY items (tenant_id, id) FROM STDIN CSV", f"{globex},1\n".encode()),
                                ("COPY items (tenant_id, id) FROM STDIN BINARY", binary((TENANTS["globex"].bytes, struct.pack("!q", 1))))):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                with connection.cursor().copy(statement) as copying:
                    copying.write(data)
    with stack.superuser() as server:
        assert server.execute("SELECT count(*) FROM items").fetchone() == (0,)


def test_names_and_values_are_no_sql(stack, twins):
    """The attack: a table, columns and data that would end the statement that the door makes of them."""
    with stack.superuser() as server:
        server.execute(f"SET ROLE {stack.owner}")
        server.execute('CREATE TABLE "a""; DROP TABLE items; --" (tenant_id uuid NOT NULL, "b"") VALUES (1); --" text)')
    stack.protect()
    with stack.connect("acme") as connection, connection.cursor() as cursor:
        with cursor.copy('COPY "a""; DROP TABLE items; --" ("b"") VALUES (1); --") FROM STDIN') as copying:
            copying.write("'); DROP TABLE items; --\n$1\n")
        assert cursor.rowcount == 2
        assert cursor.execute('SELECT * FROM "a""; DROP TABLE items; --"').fetchall() == [
            (TENANTS["acme"], "'); DROP TABLE items; --"), (TENANTS["acme"], "$1")]
        assert cursor.execute("SELECT count(*) FROM items").fetchone() == (0,)


def test_a_client_that_leaves_in_the_middle_leaves_nothing(stack, twins):
    for _ in range(5):
        raw = stack.connect("acme").pgconn
        raw.exec_(b"COPY items (id, a) FROM STDIN")
        raw.put_copy_data("".join(f"{i}\tx\n" for i in range(3_000)).encode())
        raw.flush()
        raw.finish()
    with stack.connect("acme") as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (0,)


def test_encodings(stack, twins):
    for encoding, text in (("LATIN1", "grüße"), ("UTF8", "grüße \u20ac")):
        with stack.connect("acme", client_encoding=encoding, autocommit=False) as connection, connection.cursor() as cursor:
            with cursor.copy("COPY items (a) FROM STDIN") as copying:
                copying.write(text.encode(encoding.lower()) + b"\n")
            assert cursor.execute("SELECT a FROM items").fetchall() == [(text,)]
            connection.rollback()
