"""What an index of a protected table tells a tenant of its neighbours' values: read out of each kind, found by
`schema lint`, and gone after its remedy."""
import re

import pytest
from support.cell import ProtectedDatabase
from support.register import TENANT_A, TENANT_B
from test_schema_lint import findings

# The rows of both tenants lie side by side; a neighbour's price is above 1,000,000, which only he has.
SCHEMA = f"""
CREATE EXTENSION btree_gin; CREATE EXTENSION pg_trgm;
CREATE TABLE item (tenant_id uuid NOT NULL, id int NOT NULL, price int, amount numeric, name text, place point,
  words tsvector, PRIMARY KEY (tenant_id, id));
INSERT INTO item SELECT CASE WHEN of_b THEN '{TENANT_B}'::uuid ELSE '{TENANT_A}' END, i, base + i, base + i,
    CASE WHEN of_b THEN 'secret ' ELSE 'known ' END || i, point(base + i, 0),
    to_tsvector('simple', CASE WHEN of_b THEN 'secret ' ELSE 'known ' END || i)
  FROM generate_series(1, 4000) AS i, (VALUES (false, 0), (true, 1000000)) AS tenants(of_b, base);
CREATE TABLE event (tenant_id uuid NOT NULL, at int, price int) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (1000);
INSERT INTO event SELECT t, i % 1000, i FROM generate_series(1, 2000) AS i, (VALUES ('{TENANT_A}'::uuid)) AS tenants(t);
INSERT INTO event SELECT '{TENANT_B}', i % 1000, 1000000 + i FROM generate_series(1, 2000) AS i;
ANALYZE;
"""

# Two questions of a tenant who has no such rows: the neighbour has some for the first, nobody for the second.
EQUAL = ("SELECT FROM item WHERE price = 1000777", "SELECT FROM item WHERE price = 5000777")
RANGE = ("SELECT FROM item WHERE price > 1001000", "SELECT FROM item WHERE price > 9000000")
HIGHEST = ("SELECT FROM item ORDER BY amount DESC LIMIT 1", "SELECT FROM item ORDER BY amount LIMIT 1")
NAMED = ("SELECT FROM item ORDER BY lower(name) DESC LIMIT 1", "SELECT FROM item ORDER BY lower(name) LIMIT 1")
NEAREST = ("SELECT FROM item ORDER BY place <-> '(1000500,0)' LIMIT 1", "SELECT FROM item ORDER BY place <-> '(500,0)' LIMIT 1")
SPELT = ("SELECT FROM item WHERE name = 'secret 77'", "SELECT FROM item WHERE name = 'nobody 99'")
OF_EVENTS = ("SELECT FROM event WHERE price > 1001000", "SELECT FROM event WHERE price > 9000000")

LEAKS = {
    "btree": ("item (price)", RANGE),
    "unique": ("UNIQUE item (price, tenant_id)", RANGE),
    "tenant second": ("item (price, tenant_id)", RANGE),
    "an order alone": ("item (amount)", HIGHEST),
    "expression": ("item (lower(name))", NAMED),
    "hash": ("item USING hash (price)", EQUAL),
    "gist by distance": ("item USING gist (place)", NEAREST),
    "spgist": ("item USING spgist (name)", SPELT),
    "gin": ("item USING gin (price)", RANGE),
    "gin with the tenant": ("item USING gin (tenant_id, price)", RANGE),
    "gin of trigrams": ("item USING gin (name gin_trgm_ops)", SPELT),
    "brin with the tenant": ("item USING brin (tenant_id, price) WITH (pages_per_range = 1)", RANGE),
    "partitioned": ("event (price)", OF_EVENTS),
    "of a partition": ("event_1 (price)", OF_EVENTS),
}


@pytest.fixture(scope="module")
def full(postgres, binary):
    cell = ProtectedDatabase(postgres, binary, postgres.create_database(), slots=2)
    cell.execute(SCHEMA)
    cell.protect()
    yield cell
    cell.remove()


@pytest.fixture
def indexed(full):
    """The same for each test: its indexes are dropped afterwards."""
    yield full
    for (name,) in full.execute("SELECT x.oid::regclass::text FROM pg_index i JOIN pg_class x ON x.oid = indexrelid "
                                "WHERE indrelid IN ('item'::regclass, 'event'::regclass, 'event_1'::regclass) "
                                "AND NOT indisprimary AND NOT x.relispartition"):
        full.execute(f"DROP INDEX {name}")


def create(cell, index):
    unique = "UNIQUE " if index.startswith("UNIQUE") else ""
    cell.execute(f"CREATE {unique}INDEX leaky ON {index.removeprefix('UNIQUE ')}")


def observed(connection, question):
    """What EXPLAIN tells: entries met, and pages."""
    for _ in range(2):  # the first sets hint bits and fills caches
        plan = "\n".join(row[0] for row in connection.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, COSTS off, TIMING off, SUMMARY off) {question}"))
    entries = sum(map(int, re.findall(r"Rows Removed by [\w ]+: (\d+)", plan)))
    entries += sum(map(int, re.findall(r"Bitmap Index Scan.*rows=(\d+)", plan)))
    pages = sum(map(int, re.findall(r"\w+=(\d+)", re.search(r"Buffers: shared (.*)", plan)[1])))
    return entries, pages


def tells(connection, questions):
    """Whether a tenant can tell a value that a neighbour has from one that nobody has."""
    connection.execute("SET enable_seqscan = off")
    (met, pages), (none, other_pages) = (observed(connection, question) for question in questions)
    return met != none or abs(pages - other_pages) > 5


def tells_in_each_tree(cell, connection, questions):
    """Where entries fit equally well GiST throws dice, and one tree may be deeper on one side. A leak is in each."""
    for _ in range(5):
        if not tells(connection, questions):
            return False
        cell.execute("REINDEX TABLE item")
    return True


def leaking(cell):
    return [one for one in findings(cell) if one["rule"] == "index-leaks-values" and one["level"] == "error"]


@pytest.mark.parametrize("kind", LEAKS)
def test_an_index_that_leaks_is_found_and_mended(indexed, kind):
    index, questions = LEAKS[kind]
    assert leaking(indexed) == []
    create(indexed, index)
    with indexed.connect_slot(1, TENANT_A) as attacker:
        assert tells(attacker, questions)
    (finding,) = leaking(indexed)
    assert finding["object"] == "index public.leaky"
    for statement in finding["remedy"].split(";"):
        if statement.strip():
            indexed.execute(statement)
    assert leaking(indexed) == []
    with indexed.connect_slot(1, TENANT_A) as attacker:
        assert not tells_in_each_tree(indexed, attacker, questions)


@pytest.mark.parametrize("index", ["item (tenant_id, price)", "item (tenant_id DESC, lower(name)) WHERE price > 5",
                                   "item USING hash (tenant_id)", "item USING brin (tenant_id)"])
def test_an_index_that_begins_with_the_tenant_is_not_reported(indexed, index):
    create(indexed, index)
    assert [one for one in findings(indexed) if one["rule"] == "index-leaks-values"] == []
    with indexed.connect_slot(1, TENANT_A) as attacker:
        assert not any(tells(attacker, questions) for questions in (RANGE, EQUAL, HIGHEST))


def test_the_tenant_first_makes_gist_safe(indexed):
    indexed.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    create(indexed, "item USING gist (tenant_id, place)")
    assert leaking(indexed) == []
    with indexed.connect_slot(1, TENANT_A) as attacker:
        assert not tells_in_each_tree(indexed, attacker, NEAREST)


def test_a_whole_value_is_read_and_then_no_more(indexed):
    """The neighbour's highest price, by bisection; the same statements against the mended index tell nothing."""
    create(indexed, "item (price)")

    def read(attacker):
        attacker.execute("SET enable_seqscan = off")
        low, high = 100_000, 2**31 - 1
        while low < high:
            middle = (low + high + 1) // 2
            entries, _ = observed(attacker, f"SELECT FROM item WHERE price >= {middle}")
            low, high = (middle, high) if entries else (low, middle - 1)
        return low

    with indexed.connect_slot(1, TENANT_A) as attacker:
        assert read(attacker) == 1_004_000
    indexed.execute("DROP INDEX leaky")
    create(indexed, "item (tenant_id, price)")
    with indexed.connect_slot(1, TENANT_A) as attacker:
        assert read(attacker) == 100_000


def test_a_partial_index_tells_how_many_rows_of_neighbours_are_in_it(indexed):
    """Although no condition of a tenant goes into it: ten rows of the neighbour are met, and none of the tenant's own."""
    create(indexed, "item USING gin (words) WHERE price > 1003990")
    (finding,) = leaking(indexed)
    with indexed.connect_slot(1, TENANT_A) as attacker:
        attacker.execute("SET enable_seqscan = off")
        entries, _ = observed(attacker, "SELECT FROM item WHERE price > 1003990")
        assert 10 <= entries <= 20
    indexed.execute(finding["remedy"])
    with indexed.connect_slot(1, TENANT_A) as attacker:
        attacker.execute("SET enable_seqscan = off")
        assert observed(attacker, "SELECT FROM item WHERE price > 1003990")[0] >= 4000
    assert leaking(indexed) == []


def test_an_index_that_tenants_cannot_search_is_only_told(indexed):
    """No operator of full-text search is leakproof: PostgreSQL asks the index for nothing on a tenant's behalf."""
    create(indexed, "item USING gin (words)")
    (finding,) = [one for one in findings(indexed) if one["rule"] == "index-leaks-values"]
    assert finding["level"] == "info"
    with indexed.connect_slot(1, TENANT_A) as attacker:
        assert not tells(attacker, ("SELECT FROM item WHERE words @@ 'secret'", "SELECT FROM item WHERE words @@ 'nobody'"))


def test_primary_keys_are_indexes_too(cell):
    cell.execute("CREATE TABLE voucher (tenant_id uuid NOT NULL, code uuid PRIMARY KEY DEFAULT gen_random_uuid(), "
                 "number int, UNIQUE (number, tenant_id))")
    cell.protect()
    found = {one["object"]: one["remedy"] for one in leaking(cell)}
    assert set(found) == {"index public.voucher_pkey", "index public.voucher_number_tenant_id_key"}
    for remedy in found.values():
        cell.execute(remedy)
    assert leaking(cell) == []


def test_protect_names_them(cell):
    cell.execute("CREATE TABLE note (tenant_id uuid NOT NULL, id int, title text, PRIMARY KEY (tenant_id, id));"
                 "CREATE INDEX by_title ON note (title); CREATE INDEX by_id ON note (id)")
    for told in (cell.protect().stdout, cell.protect("--dry-run").stdout):
        assert ("error: table public.note: indexes that do not begin with tenant_id tell a tenant its neighbours' values: "
                "by_id, by_title" in told)
    cell.execute("DROP INDEX by_title, by_id")
    assert "neighbours' values" not in cell.protect().stdout
