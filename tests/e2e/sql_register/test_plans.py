"""How PostgreSQL plans statements on protected tables: the labels of tenant_id() rest on this."""
import json

import pytest
from psycopg import errors
from support.register import TENANT_A, TENANT_B

PARALLEL = """
SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 2; SET enable_indexscan = off; SET enable_indexonlyscan = off;
SET enable_bitmapscan = off
"""
SERIAL = "SET max_parallel_workers_per_gather = 0"


def explain(connection, statement, options="VERBOSE"):
    """The plan's root node."""
    answer = connection.execute(f"EXPLAIN ({options}, FORMAT JSON) {statement}").fetchone()[0]
    plan = answer if isinstance(answer, list) else json.loads(answer)
    return plan[0]["Plan"]


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def init_plans(plan):
    return [node for node in nodes(plan) if node.get("Parent Relationship") == "InitPlan"]


@pytest.fixture
def session(shop):
    with shop.connect_slot(tenant=TENANT_A) as connection:
        yield connection


def test_tenant_id_is_inlined_into_an_init_plan(session):
    session.execute(SERIAL)
    plan = explain(session, "SELECT * FROM item")
    (init_plan,) = init_plans(plan)
    assert "currval('partywall.current_tenant'::regclass)" in init_plan["Output"][0]
    assert "tenant_id()" not in json.dumps(plan)
    (scan,) = [node for node in nodes(plan) if node.get("Relation Name") == "item"]
    assert scan.get("Filter", scan.get("Index Cond")) == "(item.tenant_id = $0)"


def test_the_register_is_read_once_for_a_statement(session):
    plan = explain(session, "SELECT * FROM item", "ANALYZE, TIMING OFF")
    assert [node["Actual Loops"] for node in init_plans(plan)] == [1]


def test_an_index_that_begins_with_the_tenant_is_used(session):
    plan = explain(session, "SELECT name FROM item WHERE id = 77")
    (scan,) = [node for node in nodes(plan) if node["Node Type"] == "Index Scan"]
    assert scan["Index Cond"] == "((item.tenant_id = $0) AND (item.id = 77))"


@pytest.mark.parametrize("statement, expected", [
    ("SELECT count(*) FROM item", [(5000,)]),
    ("SELECT count(DISTINCT tenant_id) FROM item", [(1,)]),
    ("SELECT count(*) FROM item a JOIN item b USING (tenant_id, id)", [(5000,)]),
    ("SELECT count(*) FROM item a WHERE EXISTS (SELECT FROM item b WHERE b.id = a.id + 1)", [(4999,)]),
])
def test_parallel_plans_are_made_and_right(session, statement, expected):
    session.execute(PARALLEL)
    plan = explain(session, statement, "ANALYZE, TIMING OFF")
    gathers = [node for node in nodes(plan) if node["Node Type"] in ("Gather", "Gather Merge")]
    assert gathers and gathers[0]["Workers Planned"] == 2
    assert all(node["Actual Loops"] == 1 for node in init_plans(plan)), "evaluated by the leader alone"
    assert session.execute(statement).fetchall() == expected


def test_without_the_sub_select_a_parallel_plan_is_not_made(session):
    """A worker has no register: RESTRICTED keeps tenant_id() out of it, so the answer stays right."""
    session.execute(PARALLEL)
    statement = "SELECT count(*) FROM item WHERE tenant_id = partywall.tenant_id()"
    assert session.execute(statement).fetchone() == (5000,)
    plan = explain(session, statement)
    for gather in (node for node in nodes(plan) if node["Node Type"].startswith("Gather")):
        assert "currval" not in json.dumps(gather["Plans"])


def test_a_worker_that_reads_the_register_by_itself_fails_closed(shop, session):
    """A function that is labelled PARALLEL SAFE although it reads a protected table."""
    shop.execute("CREATE FUNCTION counted(int) RETURNS bigint LANGUAGE plpgsql PARALLEL SAFE "
                 "AS 'BEGIN RETURN (SELECT count(*) FROM item WHERE id = $1); END'")
    shop.execute("CREATE TABLE plain AS SELECT i FROM generate_series(1, 20000) i; "
                 "GRANT SELECT ON plain TO PUBLIC; ANALYZE plain")
    try:
        session.execute(PARALLEL)
        session.execute("SET parallel_leader_participation = off")
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            session.execute("SELECT sum(counted(i)) FROM plain")
    finally:
        shop.execute("DROP TABLE plain; DROP FUNCTION counted")


def test_a_generic_plan_of_a_prepared_statement_follows_the_register(shop):
    with shop.connect_slot(tenant=TENANT_A) as session:
        session.execute("SET plan_cache_mode = force_generic_plan")
        session.execute("PREPARE one AS SELECT DISTINCT tenant_id FROM item")
        assert session.execute("EXECUTE one").fetchall() == [(TENANT_A,)]
        session.execute("DISCARD SEQUENCES")
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            session.execute("EXECUTE one")
    with shop.connect_slot(tenant=TENANT_B) as session:
        assert session.execute("SELECT DISTINCT tenant_id FROM item").fetchall() == [(TENANT_B,)]


def test_a_cheap_function_sees_no_foreign_row(shop_with_temp):
    """The policy is a security barrier: what is not leakproof runs behind it."""
    with shop_with_temp.connect_slot(tenant=TENANT_A) as session:
        notices = []
        session.add_notice_handler(lambda diagnostic: notices.append(diagnostic.message_primary))
        session.execute("""CREATE FUNCTION pg_temp.spy(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001
                           AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'""")
        assert session.execute("SELECT count(*) FROM item WHERE pg_temp.spy(name)").fetchone() == (5000,)
        assert len(notices) == 5000
        assert all(notice.startswith(str(TENANT_A)) for notice in notices)


def test_nothing_in_the_temporary_schema_stands_in_front(shop_with_temp):
    """The policy, the default and tenant_id() were parsed once: no search_path changes their meaning."""
    with shop_with_temp.connect_slot(tenant=TENANT_A) as session:
        session.execute(f"""
            CREATE FUNCTION pg_temp.yes(uuid, uuid) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
            CREATE OPERATOR pg_temp.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = pg_temp.yes);
            CREATE FUNCTION pg_temp.currval(regclass) RETURNS bigint LANGUAGE sql RETURN 1;
            CREATE FUNCTION pg_temp.encode(bytea, text) RETURNS text LANGUAGE sql RETURN '{TENANT_B}';
            CREATE FUNCTION pg_temp.tenant_id() RETURNS uuid LANGUAGE sql RETURN '{TENANT_B}'::uuid;
            SET search_path = pg_temp, pg_catalog, public""")
        assert session.execute("SELECT DISTINCT item.tenant_id FROM public.item").fetchall() == [(TENANT_A,)]
        session.execute("BEGIN")
        assert session.execute("INSERT INTO public.item (id) VALUES (0) RETURNING tenant_id").fetchone() == (TENANT_A,)
        session.execute("ROLLBACK")
