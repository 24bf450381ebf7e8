"""`partywall migrate run`: three tenants with the same schema in one database, each equal to its source."""
import json

import pytest
from conversion import FILES, RULES, TENANTS, load
from migration import SLUGS, assert_equal, digests, prepared, tenant_tables
from support.register import TENANT_A, TENANT_B
from zoo import ZOO, ZOO_ROWS, ZOO_RULES

BY_SLUG = dict(zip(SLUGS, TENANTS, strict=True))

# What the open data sets do not have: values whose binary form holds numbers of catalogs, extremes, long values.
ZOO_MORE = """
CREATE TABLE odd (id bigserial PRIMARY KEY, moods mood[], amounts money_amount[], amount money_amount, nested text[],
  class regclass, span float_span, spans float_span_multirange, empty text, at timestamptz, pause interval, day date,
  number numeric, real float8, data jsonb, raw bytea, bits bit varying, address inet, mail email DEFAULT 'a@b', xml xml);
CREATE TABLE nothing ();
CREATE TABLE no_key (a int, b text);
INSERT INTO odd (moods, amounts, amount, nested, class, span, spans, empty, at, pause, day, number, real, data, raw, bits, address, xml)
VALUES ('{sad,"it''s fine"}', ARRAY[ROW(1.50, 'EUR'), NULL]::money_amount[], ROW(NULL, 'a "quoted", (one)'), '{{a,NULL},{"c,d",""}}',
  'person', '[1.5,)', '{[1,2),[3,4)}', '', 'infinity', '1 mon -3 days 04:05:06.789', '-infinity', 'NaN', '-0',
  '{"a": [1, null, "\\u00e9\\n"]}', '\\x00ff5c', B'101', '10.0.0.0/8', '<a>b</a>'),
  (NULL, '{}', NULL, '{}', NULL, 'empty', '{}', E'tab\\t line\\n back\\\\slash', '0044-03-15 BC', '-178000000 years', '5874897-12-31',
  1e-1000 + 12345678901234567890.123456789, 'NaN', 'null', repeat('x', 3000000)::bytea, '', '::1', NULL);
INSERT INTO nothing SELECT FROM generate_series(1, 3);
INSERT INTO no_key SELECT 1, 'twin' FROM generate_series(1, 2);
INSERT INTO no_key SELECT i, repeat(md5(i::text), 200) FROM generate_series(1, 3000) AS i;
DELETE FROM no_key WHERE a % 7 = 0;
SELECT setval('invoice_number', 4711, false);
"""


def make_source(postgres, name):
    if name != "zoo":
        return load(postgres, name), RULES.get(name)
    source = postgres.create_database()
    for script in (ZOO, ZOO_ROWS, ZOO_MORE):
        postgres.execute(script, source)
    return source, ZOO_RULES


@pytest.fixture(scope="module", params=[*FILES, "zoo"])
def moved(request, postgres, binary):
    """(source, tool) after the three tenants were migrated."""
    source, rules = make_source(postgres, request.param)
    tool = prepared(postgres, binary, source, BY_SLUG, rules)
    if request.param == "zoo":
        tool.target.execute("INSERT INTO country VALUES ('de', 'Germany'), ('fr', 'France')")
    tool.outputs = {slug: tool.run(slug) for slug in SLUGS}
    yield source, tool
    tool.target.remove()
    postgres.drop_database(source)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_table_is_equal(moved, postgres, slug):
    source, tool = moved
    assert_equal(postgres, source, tool, BY_SLUG[slug])
    assert "are equal in both databases" in tool.outputs[slug].stdout


def test_tenants_see_their_rows_and_ids_go_on(moved, postgres):
    source, tool = moved
    rows = postgres.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace", source)
    shared = set((tool.rules or {}).get("shared_sequences", []))
    for (sequence,) in rows:
        expected = postgres.execute(f"SELECT last_value, is_called FROM {sequence}", source)
        if f"public.{sequence}" in shared or not tool.target.execute("SELECT to_regnamespace('partywall_sequences')")[0][0]:
            continue
        own = tool.target.execute(f"SELECT partywall_sequences.sequence_of('{sequence}', '{TENANT_B}')")[0][0]
        assert tool.target.execute(f"SELECT last_value, is_called FROM {own}") == expected, sequence
    with tool.target.connect_slot(1, TENANT_A) as slot, postgres.connect(source) as before:
        with postgres.connect(tool.target.name) as admin:
            tables = tenant_tables(before, admin)
        assert digests(slot, tables) == digests(before, tables)


def test_running_again_says_that_it_is_done(moved):
    _, tool = moved
    done = tool.run(SLUGS[0])
    assert "migrated and verified before; nothing was done" in done.stdout
    status = tool.status(SLUGS[0])
    assert status["state"] == "verified"
    assert all(one["chunks"] == one["chunks_done"] for one in status["relations"])


def test_verify_reads_and_changes_nothing(moved):
    _, tool = moved
    status, events = tool.events("verify", SLUGS[1])
    assert status == 0
    assert events[-1] == {"event": "end", "outcome": "equal"}
    compared = [one for one in events if one["event"] == "compared"]
    assert len(compared) > 5 and all(one["equal"] and one["source"] == one["target"] for one in compared)


def test_json_lines_tell_the_whole_story(postgres, binary):
    source = load(postgres, "chinook")
    tool = prepared(postgres, binary, source, BY_SLUG)
    status, events = tool.events("run", "acme")
    assert status == 0
    kinds = [one["event"] for one in events]
    assert kinds[0] == "preflight" and kinds[-1] == "end"
    assert {"relation", "relation_copied", "state", "verifying", "compared", "references"} <= set(kinds)
    assert [one["state"] for one in events if one["event"] == "state"] == ["copied", "verified"]
    tool.target.remove()
    postgres.drop_database(source)


def test_tables_with_catalog_numbers_in_their_images_are_copied_as_text(postgres, binary):
    source, rules = make_source(postgres, "zoo")
    tool = prepared(postgres, binary, source, BY_SLUG, rules)
    tool.target.execute("INSERT INTO country VALUES ('de', 'Germany'), ('fr', 'France')")
    tool.run("acme")
    formats = {one["relation"]: one["format"] for one in tool.status("acme")["relations"]}
    assert formats["public.odd"] == "text"  # mood[], money_amount[], regclass
    assert formats["public.person"] == "binary"  # a composite of built-in types
    assert formats["public.no_key"] == formats["public.booking"] == "binary"
    tool.target.remove()
    postgres.drop_database(source)


def test_the_status_of_a_migration_that_was_not_begun(moved):
    _, tool = moved
    tool.call("discard", SLUGS[2], "--verified-too")
    done = tool.call("status", SLUGS[2])
    assert done.returncode == 3 and "no migration of tenant initech was begun" in done.stderr
    again = tool.run(SLUGS[2])
    assert "are equal in both databases" in again.stdout
    assert json.loads(tool.call("status", SLUGS[2], "-o", "json").stdout)["state"] == "verified"
