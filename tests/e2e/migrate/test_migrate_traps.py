"""What a copy must not be led astray by: other rules, other users' schemas, locks and rights, odd keys, sequences in use."""
import psycopg
import pytest
from conversion import Target
from migration import Tool, assert_equal, prepared
from support.register import TENANT_A, TENANT_B

SCHEMA = """
CREATE SEQUENCE ticket INCREMENT 5;
CREATE TABLE item (id bigint PRIMARY KEY DEFAULT nextval('ticket'), name text NOT NULL);
CREATE TABLE log (at bigserial, text text);
INSERT INTO item (name) SELECT md5(i::text) FROM generate_series(1, 100) AS i;
INSERT INTO log (text) SELECT 'x' FROM generate_series(1, 10);
"""
RULES = {"version": 1, "shared_sequences": ["public.ticket"]}
WITHOUT_LOG = RULES | {"tables": {"public.log": {"class": "excluded"}}}


@pytest.fixture
def moving(postgres, binary):
    """(source, tool) with a schema that was converted and no row that was copied."""
    source = postgres.create_database()
    postgres.execute(SCHEMA, source)
    tool = prepared(postgres, binary, source, {"acme": TENANT_A}, RULES)
    yield source, tool
    tool.target.remove()
    postgres.drop_database(source)


@pytest.fixture
def role(postgres):
    """A role that may log in, and nothing else."""
    postgres.execute("CREATE ROLE clerk LOGIN PASSWORD 'c'")
    yield "clerk"
    for (database,) in postgres.execute("SELECT datname FROM pg_database WHERE datallowconn"):
        postgres.execute("DROP OWNED BY clerk", database)
    postgres.execute("DROP ROLE clerk")


def errors(events):
    return " ".join(one["message"] for one in events[0]["findings"] if one["level"] == "error")


# --- rules

@pytest.mark.parametrize("state", ["copying", "verified"])
def test_rules_for_other_tables_do_not_go_on(moving, state):
    """Neither a table that is left out now, whose chunks wait, nor one whose rows nobody would compare."""
    _, tool = moving
    tool.run("acme")
    tool.target.execute(f"UPDATE partywall_migration.migration SET state = '{state}'")
    if state == "copying":
        tool.target.execute("DELETE FROM log; UPDATE partywall_migration.chunk SET done_at = NULL WHERE relation = 'public.log'")
    tool.rules = WITHOUT_LOG
    done = tool.call("run", "acme")
    assert done.returncode == 5 and "was begun with other rules, for other tables" in done.stderr
    tool.rules = RULES
    tool.run("acme")


# --- sequences

def test_sequences_that_may_not_be_read_are_named_before_the_copy(moving, postgres, role):
    source, tool = moving
    postgres.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", source)
    done = tool.call("run", "acme", source=postgres.url(source, role, "c"))
    assert done.returncode == 1 and "may not read the position of the sequences public." in done.stderr
    assert "public.ticket" in done.stderr and "public.log_at_seq" in done.stderr
    postgres.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}", source)
    assert tool.call("run", "acme", source=postgres.url(source, role, "c")).returncode == 0


def test_a_shared_sequence_of_another_owner_is_named_before_the_copy(moving, postgres, role):
    _, tool = moving
    tool.target.execute(f"GRANT SELECT, UPDATE ON SEQUENCE ticket TO {role}; GRANT CONNECT ON DATABASE {tool.target.name} TO {role}")
    weak = tool.target.environment() | {"PGUSER": role, "PGPASSWORD": "c"}
    tool.target.environment = lambda: weak
    _, events = tool.events("preflight", "acme")
    assert "does not own the sequences public.ticket" in errors(events)


def test_a_shared_sequence_goes_on_behind_a_number_that_was_given(moving):
    """The same position, but only the source has given it."""
    _, tool = moving
    tool.target.execute("SELECT setval('ticket', 496, false)")
    tool.run("acme")
    assert tool.target.execute("SELECT last_value, is_called FROM ticket") == [(496, True)]
    assert tool.target.execute("SELECT nextval('ticket')") == [(501,)]


def test_a_shared_sequence_is_never_moved_back(moving):
    _, tool = moving
    tool.target.execute("SELECT setval('ticket', 9001, false)")
    tool.run("acme")
    assert tool.target.execute("SELECT nextval('ticket')") == [(9001,)]


def test_a_shared_sequence_that_is_drawn_from_is_not_moved_under_its_users(moving, postgres):
    """A tenant who has drawn from it and not committed might be drawing on: the position waits for it."""
    source, tool = moving
    with postgres.connect(tool.target.name, autocommit=False) as tenant:
        first = tenant.execute("SELECT nextval('ticket')").fetchone()[0]
        done = tool.call("run", "acme")
        assert done.returncode == 6 and "stays open" in done.stderr and "public.ticket" in done.stderr
        assert tenant.execute("SELECT nextval('ticket')").fetchone()[0] == first + 5
        tenant.commit()
    tool.run("acme")
    assert tool.target.execute("SELECT nextval('ticket')") == [(501,)]
    assert_equal(postgres, source, tool, TENANT_A)


# --- keys

def test_a_key_with_a_generated_column_is_compared_by_whole_rows(postgres, binary):
    source = postgres.create_database()
    postgres.execute("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a % 10) STORED, PRIMARY KEY (a, b));"
                     "INSERT INTO t SELECT generate_series(1, 1000)", source)
    tool = prepared(postgres, binary, source, {"acme": TENANT_A})
    tool.run("acme")
    tool.target.execute("UPDATE t SET a = -5 WHERE a = 500")
    status, events = tool.events("verify", "acme")
    wrong = next(one for one in events if one["event"] == "compared")
    assert status == 1
    assert sorted((one["kind"], one["row"]) for one in wrong["differences"]) == [("extra", "(-5)"), ("missing", "(500)")]
    tool.target.remove()
    postgres.drop_database(source)


# --- the schema of the progress, and its locks

def test_default_privileges_do_not_open_the_progress(moving):
    _, tool = moving
    tool.target.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC;"
                        f'ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO "{tool.target.slot_role(1)}"')
    tool.run("acme")
    with tool.target.connect_slot(1, TENANT_B) as slot:
        for statement in ("SELECT * FROM partywall_migration.migration", "DELETE FROM partywall_migration.chunk",
                          "CREATE TABLE partywall_migration.mine ()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                slot.execute(statement)
    assert tool.target.execute("SELECT has_table_privilege('pg_monitor', 'partywall_migration.chunk', 'SELECT')") == [(False,)]
    tool.target.execute("ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM PUBLIC;"
                        f'ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM "{tool.target.slot_role(1)}"')


def test_a_progress_schema_that_somebody_else_made_is_refused(moving, role):
    """A trigger in it would be carried out by the superuser who migrates."""
    _, tool = moving
    tool.target.execute(f"CREATE SCHEMA partywall_migration AUTHORIZATION {role}")
    for verb in ("preflight", "run", "status", "discard"):
        done = tool.call(verb, "acme")
        assert done.returncode == 1, verb
        assert "the target's schema partywall_migration belongs to role clerk" in done.stderr
    assert tool.target.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'partywall_migration'::regnamespace") == [(0,)]
    tool.target.execute("DROP SCHEMA partywall_migration")
    tool.run("acme")


def test_a_tenant_cannot_lock_a_migration_out(moving):
    """Neither by the advisory locks that it can take, nor by a table that it has no rights on."""
    _, tool = moving
    with tool.target.connect_slot(1, TENANT_B) as tenant:
        for name in (str(TENANT_A), "schema"):
            tenant.execute("SELECT pg_advisory_lock(hashtext('partywall_migration'), hashtext(%s))", [name])
        tool.run("acme")
        for statement in ("LOCK TABLE partywall_migration.migration IN ACCESS SHARE MODE",
                          "UPDATE partywall_migration.holder SET pid = pg_backend_pid()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), tenant.transaction():
                tenant.execute(statement)


def test_who_keeps_the_progress_locked_is_named(moving, postgres):
    _, tool = moving
    tool.run("acme")
    tool.call("discard", "acme", "--verified-too")
    with postgres.connect(tool.target.name) as holder:
        holder.execute("BEGIN; LOCK TABLE partywall_migration.migration IN SHARE UPDATE EXCLUSIVE MODE")
        pid = holder.info.backend_pid
        done = tool.call("run", "acme")
    assert done.returncode == 5 and f"process {pid} of user {postgres.superuser}" in done.stderr, done.stderr


def test_a_note_of_a_process_that_has_ended_is_no_lock(moving, postgres):
    """Its number may be another process's by now: of another user, or of the same one and begun later."""
    _, tool = moving
    tool.run("acme")
    set_holder = "UPDATE partywall_migration.holder SET pid = %s, role = %s, process_start = "
    with postgres.connect(tool.target.name) as other, tool.target.connect_slot(1, TENANT_B) as tenant:
        for pid, role, start in ((other.info.backend_pid, postgres.superuser, "'2001-01-01'"),
                                 (tenant.info.backend_pid, postgres.superuser, "now()"), (999_999_999, "nobody", "now()")):
            other.execute(set_holder + start, [pid, role])
            assert tool.call("run", "acme").returncode == 0
        other.execute(set_holder + "(SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())",
                      [other.info.backend_pid, postgres.superuser])
        done = tool.call("run", "acme")
        assert done.returncode == 5
        assert f"is being migrated by another process (process {other.info.backend_pid} of user {postgres.superuser})" in done.stderr
    assert tool.call("run", "acme").returncode == 0


# --- the verdict

def test_rows_that_are_equal_and_refer_to_nothing_are_nobody_s_writing(postgres, binary):
    source = postgres.create_database()
    postgres.execute("CREATE TABLE country (code text PRIMARY KEY); CREATE TABLE city (name text PRIMARY KEY, country text REFERENCES country);"
                     "INSERT INTO country VALUES ('de'); INSERT INTO city VALUES ('Köln', 'de')", source)
    rules = {"version": 1, "tables": {"public.country": {"class": "global"}}}
    target = Target(postgres, binary, postgres.create_database())
    target.convert(source, rules=rules)
    tool = Tool(target, postgres.url(source), {"acme": TENANT_A}, rules)
    for verb in ("run", "verify"):
        done = tool.call(verb, "acme")
        assert done.returncode == 1 and "all rows are equal, but rows of the tenant refer to nothing" in done.stdout
        assert "who wrote" not in done.stdout
    status, events = tool.events("run", "acme")
    assert status == 1 and events[-1] == {"event": "end", "outcome": "broken_references"}
    target.execute("INSERT INTO country VALUES ('de')")
    tool.run("acme")
    target.remove()
    postgres.drop_database(source)
