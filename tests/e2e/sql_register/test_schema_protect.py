"""The command `partywall schema protect` on databases as people have them."""
import concurrent.futures
import contextlib
import secrets
import uuid

import psycopg
import pytest
from support.cell import ProtectedDatabase
from support.postgres import Postgres
from support.register import TENANT_A, TENANT_B, enter

UUID_TABLE = "CREATE TABLE item (id serial, tenant_id uuid, name text, PRIMARY KEY (tenant_id, id))"


def findings(process, level=None):
    lines = [line for line in process.stdout.splitlines() if line.startswith(("error: ", "warning: ", "info: "))]
    return [line for line in lines if level is None or line.startswith(level)]


def test_a_dry_run_changes_nothing_and_a_second_run_has_nothing_to_do(cell):
    cell.execute(UUID_TABLE)
    before = cell.postgres.execute("SELECT count(*) FROM pg_roles")
    script = cell.protect("--dry-run").stdout
    assert "CREATE POLICY partywall_tenant" in script
    assert cell.execute("SELECT to_regnamespace('partywall')") == [(None,)]
    assert cell.postgres.execute("SELECT count(*) FROM pg_roles") == before
    assert "statements were run" in cell.protect().stdout
    assert "nothing was to be changed" in cell.protect().stdout
    assert cell.steps() == []


def test_no_secret_is_shown(cell):
    for output in (cell.protect("--dry-run"), cell.protect()):
        text = output.stdout + output.stderr
        assert cell.slot_password not in text and "SCRAM-SHA-256" not in text
        assert cell.key.hex()[:16] not in text
        inner = bytes(byte ^ 0x36 for byte in cell.key)
        assert inner.hex()[:16] not in text


def test_no_key_reaches_the_log_of_the_server(binary):
    with Postgres({"log_statement": "all", "log_min_duration_statement": "0", "log_parameter_max_length": "-1"}) as server:
        cell = ProtectedDatabase(server, binary, server.create_database())
        cell.protect()
        log = server.log()
        assert "COPY partywall.register_key" in log
        for pad in (0, 0x36, 0x5C):
            assert bytes(byte ^ pad for byte in cell.key).hex()[:16] not in log
        assert cell.slot_password not in log
        cell.remove()


TAMPERINGS = {
    "row security off": "ALTER TABLE item DISABLE ROW LEVEL SECURITY",
    "owner exempt": "ALTER TABLE item NO FORCE ROW LEVEL SECURITY",
    "default gone": "ALTER TABLE item ALTER tenant_id DROP DEFAULT",
    "other default": "ALTER TABLE item ALTER tenant_id SET DEFAULT gen_random_uuid()",
    "policy gone": "DROP POLICY partywall_tenant ON item",
    "policy weakened": "ALTER POLICY partywall_tenant ON item USING (true)",
    "check weakened": "ALTER POLICY partywall_tenant ON item WITH CHECK (true)",
    "policy for one role": "ALTER POLICY partywall_tenant ON item TO postgres",
    "policy permissive": "DROP POLICY partywall_tenant ON item; CREATE POLICY partywall_tenant ON item "
                         "USING (tenant_id = (SELECT partywall.tenant_id()))",
    "policy for SELECT only": "DROP POLICY partywall_tenant ON item; CREATE POLICY partywall_tenant ON item "
                              "AS RESTRICTIVE FOR SELECT USING (tenant_id = (SELECT partywall.tenant_id()))",
    "no rows policy": "DROP POLICY partywall_rows ON item",
    "rows policy narrowed": "ALTER POLICY partywall_rows ON item USING (false)",
    "truncate granted": "GRANT TRUNCATE, REFERENCES, TRIGGER ON item TO PUBLIC",
    "select revoked": "REVOKE SELECT ON item FROM PUBLIC",
    "sequence revoked": "REVOKE ALL ON SEQUENCE item_id_seq FROM PUBLIC",
    "create on schema": "GRANT CREATE ON SCHEMA public TO PUBLIC",
    "usage of schema": "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
    "create on database": "GRANT CREATE ON DATABASE {database} TO PUBLIC",
    "temp": "GRANT TEMP ON DATABASE {database} TO PUBLIC",
    "connect": "GRANT CONNECT ON DATABASE {database} TO PUBLIC",
    "register writable": "GRANT UPDATE ON SEQUENCE partywall.current_tenant TO PUBLIC",
    "register not readable": "REVOKE ALL ON SEQUENCE partywall.current_tenant_low FROM PUBLIC",
    "register narrowed": "ALTER SEQUENCE partywall.current_tenant MAXVALUE 10 RESTART 1",
    "register gone": "DROP SEQUENCE partywall.current_tenant_low CASCADE",
    "keys readable": "GRANT SELECT ON partywall.register_key TO PUBLIC",
    "keys changed": "UPDATE partywall.register_key SET inner_block = outer_block",
    "key added": "INSERT INTO partywall.register_key SELECT 7, inner_block, outer_block FROM partywall.register_key",
    "keys gone": "DELETE FROM partywall.register_key",
    "tenant_id replaced": "CREATE OR REPLACE FUNCTION partywall.tenant_id() RETURNS uuid LANGUAGE sql "
                          "RETURN '{other}'::uuid",
    "tenant_id not inlined": "ALTER FUNCTION partywall.tenant_id() STABLE",
    "tenant_id unsafe": "ALTER FUNCTION partywall.tenant_id() PARALLEL UNSAFE",
    "enter replaced": "CREATE OR REPLACE FUNCTION partywall.enter(token bytea) RETURNS void LANGUAGE sql AS ''",
    "enter as invoker": "ALTER FUNCTION partywall.enter(bytea) SECURITY INVOKER",
    "enter not pinned": "ALTER FUNCTION partywall.enter(bytea) RESET search_path",
    "enter revoked": "REVOKE ALL ON FUNCTION partywall.enter(bytea) FROM PUBLIC",
    "seal removed": "COMMENT ON SCHEMA partywall IS NULL",
    "slot privileged": "ALTER ROLE {slot} CREATEROLE",
    "slot bypasses": "ALTER ROLE {slot} BYPASSRLS",
    "slot inherits": "ALTER ROLE {slot} INHERIT",
    "slot unlimited": "ALTER ROLE {slot} CONNECTION LIMIT -1",
    "slot locked": "ALTER ROLE {slot} NOLOGIN",
    "slot expired": "ALTER ROLE {slot} VALID UNTIL '2000-01-01'",
    "slot settings": "ALTER ROLE {slot} SET work_mem = '1MB'; ALTER ROLE {slot} IN DATABASE {database} SET jit = off",
    "slot's temporary files": "ALTER ROLE {slot} RESET temp_file_limit",
    "slot's default privileges": "GRANT USAGE, CREATE ON SCHEMA public TO {slot}; "
                                 "ALTER DEFAULT PRIVILEGES FOR ROLE {slot} GRANT SELECT ON TABLES TO PUBLIC, {slot2}; "
                                 "ALTER DEFAULT PRIVILEGES FOR ROLE {slot} REVOKE ALL ON FUNCTIONS FROM PUBLIC; "
                                 "ALTER DEFAULT PRIVILEGES FOR ROLE {slot} REVOKE ALL ON TABLES FROM {slot}; "
                                 "ALTER DEFAULT PRIVILEGES FOR ROLE {slot} REVOKE ALL ON TYPES FROM PUBLIC; "
                                 "ALTER DEFAULT PRIVILEGES FOR ROLE {slot} IN SCHEMA public GRANT SELECT ON SEQUENCES TO {slot}; "
                                 "ALTER DEFAULT PRIVILEGES FOR ROLE {slot} IN SCHEMA public GRANT ALL ON TABLES TO PUBLIC; "
                                 "REVOKE ALL ON SCHEMA public FROM {slot}",
    "messages in the log": "GRANT EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text), "
                           "pg_logical_emit_message(boolean, text, bytea), currtid2(text, tid) TO PUBLIC",
    "slot password": "ALTER ROLE {slot} PASSWORD 'other'",
    "slot without password": "ALTER ROLE {slot} PASSWORD NULL",
    "slot member": "GRANT pg_read_all_data TO {slot}",
    "slots of each other": "GRANT {slot} TO {slot2}",
    "slot gone": "DROP OWNED BY {slot}; DROP ROLE {slot}",
    "slot cannot connect": "REVOKE CONNECT ON DATABASE {database} FROM {slot}",
}


@pytest.fixture(scope="module")
def tampered(postgres, binary):
    cell = ProtectedDatabase(postgres, binary, postgres.create_database(), slots=2)
    cell.execute(UUID_TABLE)
    cell.protect()
    yield cell
    cell.remove()


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_somebody_changed_is_put_right(tampered, name):
    cell = tampered
    cell.execute(TAMPERINGS[name].format(database=cell.name, slot=cell.slot_role(1), slot2=cell.slot_role(2),
                                         other=TENANT_B))
    assert cell.steps() != []
    cell.protect()
    assert cell.steps() == []
    with cell.connect_slot(1, TENANT_A) as one:
        one.execute("INSERT INTO item (name) VALUES ('mine')")
        assert one.execute("SELECT DISTINCT tenant_id FROM item").fetchall() == [(TENANT_A,)]
        one.execute("DELETE FROM item")
    with cell.connect_slot(1) as empty, pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        empty.execute("SELECT partywall.tenant_id()")


def test_a_slot_role_leaves_no_default_privileges(tampered):
    """In pg_default_acl an entry would keep the role from being dropped."""
    with tampered.connect_slot(1, TENANT_A) as tenant:
        tenant.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON "
                       "FUNCTIONS FROM PUBLIC; ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO PUBLIC")
    assert tampered.execute("SELECT count(*) FROM pg_default_acl") == [(3,)]
    tampered.protect()
    assert tampered.execute("SELECT count(*) FROM pg_default_acl") == [(0,)]


def test_temporary_files_of_a_tenant_are_limited(tampered):
    """A tenant can neither raise the limit nor take it away with its other settings."""
    tampered.protect("--temp-file-limit", "2")
    try:
        with tampered.connect_slot(1, TENANT_A) as tenant:
            for attempt in ("SET temp_file_limit = -1", "ALTER ROLE CURRENT_USER SET temp_file_limit = -1",
                            "ALTER ROLE CURRENT_USER RESET temp_file_limit",
                            f"ALTER ROLE CURRENT_USER IN DATABASE {tampered.name} SET temp_file_limit = -1"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    tenant.execute(attempt)
            tenant.execute("ALTER ROLE CURRENT_USER SET work_mem = '64kB'")
            tenant.execute("ALTER ROLE CURRENT_USER RESET ALL")
        with tampered.connect_slot(1, TENANT_A) as tenant:
            assert tenant.execute("SHOW temp_file_limit").fetchone() == ("2MB",)
            with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
                tenant.execute("SET work_mem = '64kB'; SELECT count(*) FROM "
                               "(SELECT repeat('x', 100) || g FROM generate_series(1, 200000) AS g ORDER BY 1) AS sorted")
        assert any("temp_file_limit = 1048576" in step for step in tampered.steps())
    finally:
        tampered.protect()
    assert tampered.steps() == []


def test_what_tenants_need_not_call(tampered):
    with tampered.connect_slot(1, TENANT_A) as tenant:
        for call in ("pg_logical_emit_message(false, 'x', 'y')", "pg_logical_emit_message(true, 'x', 'y'::bytea)",
                     "currtid2('item', '(0,1)')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                tenant.execute(f"SELECT {call}")


def test_a_tenant_cannot_hold_it_up_by_a_lock(tampered):
    """Not by the number that it used to lock, nor by the table that it locks now; another run does."""
    with tampered.connect_slot(1, TENANT_A) as tenant, tampered.postgres.connect(tampered.name) as admin:
        tenant.execute("SELECT pg_advisory_lock(8101127914)")
        tenant.execute("BEGIN")
        for mode in ("ACCESS SHARE", "ACCESS EXCLUSIVE"):
            tenant.execute("SAVEPOINT s")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                tenant.execute(f"LOCK TABLE partywall.register_key IN {mode} MODE")
            tenant.execute("ROLLBACK TO s")
        assert tampered.protect("--lock-timeout", "2").returncode == 0
        admin.execute("BEGIN; LOCK TABLE partywall.register_key IN SHARE ROW EXCLUSIVE MODE")
        done = tampered.protect("--lock-timeout", "0.2", check=False)
        assert done.returncode == 5 and "is being protected by another run" in done.stderr, done
        with tampered.connect_slot(2, TENANT_B):  # registers are written meanwhile
            admin.execute("ROLLBACK")


def test_names_that_need_quoting(cell):
    cell.execute('''CREATE SCHEMA "My ""Schema""; --";
                    CREATE TABLE "My ""Schema""; --"."Táble; DROP" ("Id" serial, tenant_id uuid);
                    CREATE TABLE "user" (tenant_id uuid)''')
    cell.protect()
    assert cell.steps() == []
    with cell.connect_slot(1, TENANT_A) as one:
        one.execute('INSERT INTO "My ""Schema""; --"."Táble; DROP" DEFAULT VALUES')
        one.execute('INSERT INTO "user" DEFAULT VALUES')
    with cell.connect_slot(2, TENANT_B) as two:
        assert two.execute('SELECT count(*) FROM "My ""Schema""; --"."Táble; DROP"').fetchone() == (0,)


def test_another_tenant_column(cell):
    cell.execute('CREATE TABLE item (id int, "Org Id" uuid); CREATE TABLE other (id int, tenant_id uuid)')
    done = cell.protect("--tenant-column", "Org Id")
    assert any("table public.other" in line for line in findings(done))
    assert "nothing was to be changed" in cell.protect("--tenant-column", "Org Id").stdout
    with cell.connect_slot(1, TENANT_A) as one:
        assert one.execute('INSERT INTO item (id) VALUES (1) RETURNING "Org Id"').fetchone() == (TENANT_A,)


def test_partitions_are_protected_themselves(cell):
    cell.execute("""CREATE TABLE event (tenant_id uuid NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
                    CREATE TABLE event_old PARTITION OF event FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
                    CREATE TABLE event_new PARTITION OF event FOR VALUES FROM ('2020-01-01') TO ('2040-01-01');
                    GRANT SELECT ON event_old TO PUBLIC""")
    cell.protect()
    for slot, tenant in ((1, TENANT_A), (2, TENANT_B)):
        with cell.connect_slot(slot, tenant) as session:
            session.execute("INSERT INTO event (day) VALUES ('2010-01-01'), ('2030-01-01')")
            assert session.execute("SELECT count(*) FROM event").fetchone() == (2,)
            assert session.execute("SELECT tenant_id FROM event_old").fetchall() == [(tenant,)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute("SELECT * FROM event_new")


def test_what_cannot_be_protected_is_reported(cell):
    cell.execute("""CREATE TABLE country (code text);
                    CREATE TABLE open_to_all (id int); GRANT SELECT ON open_to_all TO PUBLIC;
                    CREATE TABLE by_text (tenant_id text);
                    CREATE TABLE item (tenant_id uuid, price int DEFAULT 1);
                    CREATE VIEW prices AS SELECT price FROM item; GRANT SELECT ON prices TO PUBLIC;
                    CREATE VIEW asks WITH (security_invoker = true) AS SELECT price FROM item;
                    CREATE MATERIALIZED VIEW kept AS SELECT price FROM item;
                    CREATE ROLE view_owner; GRANT SELECT ON item TO view_owner;
                    CREATE VIEW owned AS SELECT price FROM item; ALTER VIEW owned OWNER TO view_owner;
                    CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
                    CREATE FOREIGN TABLE remote (tenant_id uuid) SERVER s""")
    try:
        done = cell.protect()
        for level, subject in (("warning", "table public.country"), ("error", "table public.open_to_all"),
                               ("error", "table public.by_text"), ("error", "view public.prices"),
                               ("warning", "materialized view public.kept"), ("warning", "view public.owned"),
                               ("warning", "table public.remote")):
            assert any(subject + ":" in line for line in findings(done, level)), subject
        assert not any("public.asks" in line or "public.item:" in line for line in findings(done))
        again = findings(cell.protect())
        assert again == [line for line in findings(done) if "database" not in line]
    finally:
        cell.execute("DROP OWNED BY view_owner; DROP ROLE view_owner")


def test_policies_of_the_application_go_on_choosing(cell):
    cell.execute("""CREATE TABLE item (tenant_id uuid, hidden boolean);
                    CREATE POLICY visible ON item USING (NOT hidden)""")
    done = cell.protect()
    assert any("visible" in line for line in findings(done, "info"))
    with cell.connect_slot(1, TENANT_A) as one:
        one.execute("INSERT INTO item (hidden) VALUES (false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            one.execute("INSERT INTO item (hidden) VALUES (true)")
    with cell.connect_slot(2, TENANT_B) as two:
        assert two.execute("SELECT count(*) FROM item").fetchone() == (0,)


def test_it_works_without_superuser_rights(cell):
    """As on a managed PostgreSQL: the database's owner with CREATEROLE."""
    admin = f"admin_{uuid.uuid4().hex[:8]}"
    cell.postgres.execute(f"CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD 'admin'")
    try:
        cell.postgres.execute(f"ALTER DATABASE {cell.name} OWNER TO {admin}")
        with cell.postgres.connect(cell.name, admin, "admin") as connection:
            connection.execute("CREATE SCHEMA shop; CREATE TABLE shop.item (id serial, tenant_id uuid)")
        for _ in range(2):
            cell.protect(user=admin, password="admin")
        # Only a superuser sees whether passwords were changed: they are set again, and nothing else is done.
        again = cell.protect("--dry-run", user=admin, password="admin").stdout
        steps = [line for line in again.splitlines() if line.startswith(("ALTER", "CREATE", "GRANT", "DO", "REVOKE"))]
        assert len(steps) == 3 and all("PASSWORD '(hidden)'" in step for step in steps)
        assert cell.steps() == [
            *(f'ALTER ROLE "{cell.slot_role(number)}" SET temp_file_limit = 1048576;' for number in (1, 2, 3)),
            *(f"REVOKE ALL ON FUNCTION pg_catalog.{function} FROM PUBLIC;" for function in (
                "pg_prepared_statement()", "currtid2(text, tid)", "pg_logical_emit_message(boolean, text, bytea)",
                "pg_logical_emit_message(boolean, text, text)"))]
        with cell.connect_slot(1, TENANT_A) as one:
            one.execute("INSERT INTO shop.item DEFAULT VALUES")
        with cell.postgres.connect(cell.name, admin, "admin") as owner, \
                pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            owner.execute("SELECT * FROM shop.item")
    finally:
        cell.postgres.execute(f"ALTER DATABASE {cell.name} OWNER TO postgres")
        cell.execute(f"REASSIGN OWNED BY {admin} TO postgres; DROP OWNED BY {admin}")
        cell.postgres.execute(f"DROP OWNED BY {admin}; DROP ROLE {admin}")


def test_a_missing_right_leaves_nothing_half_done(cell):
    """Whatever the first statement is that fails, nothing of the others stays."""
    cell.execute(UUID_TABLE)
    limited = f"limited_{uuid.uuid4().hex[:8]}"
    cell.postgres.execute(f"CREATE ROLE {limited} LOGIN PASSWORD 'x'")
    try:
        for right in (None, f"ALTER ROLE {limited} CREATEROLE", f"ALTER DATABASE {cell.name} OWNER TO {limited}"):
            if right:
                cell.postgres.execute(right)
            done = cell.protect(check=False, user=limited, password="x")
            assert done.returncode == 1
            assert "partywall schema protect: " in done.stderr
            assert cell.execute("SELECT to_regnamespace('partywall')") == [(None,)]
            assert cell.execute("SELECT relrowsecurity FROM pg_class WHERE relname = 'item'") == [(False,)]
    finally:
        cell.postgres.execute(f"ALTER DATABASE {cell.name} OWNER TO postgres; DROP ROLE {limited}")


def test_a_revoke_that_only_warns_is_noticed(cell):
    """REVOKE by somebody who did not grant is a warning for PostgreSQL, not an error."""
    admin = f"admin_{uuid.uuid4().hex[:8]}"
    cell.execute(UUID_TABLE)
    cell.postgres.execute(f"CREATE ROLE {admin} LOGIN CREATEROLE PASSWORD 'x'; ALTER DATABASE {cell.name} OWNER TO {admin}")
    try:
        cell.execute(f"ALTER TABLE item OWNER TO {admin}; GRANT CREATE ON SCHEMA public TO PUBLIC; "
                     "ALTER SCHEMA public OWNER TO postgres")
        done = cell.protect(check=False, user=admin, password="x")
        assert done.returncode == 1
        assert "nothing was changed" in done.stderr and "REVOKE CREATE ON SCHEMA" in done.stderr
        assert cell.execute("SELECT to_regnamespace('partywall')") == [(None,)]
    finally:
        cell.postgres.execute(f"ALTER DATABASE {cell.name} OWNER TO postgres")
        cell.execute(f"REASSIGN OWNED BY {admin} TO postgres; DROP OWNED BY {admin}")
        cell.postgres.execute(f"DROP ROLE {admin}")


def test_a_key_is_rotated_without_a_moment_in_which_none_is_valid(cell):
    def accepted():
        valid = set()
        for key_id, key in ((1, old), (2, new)):
            with cell.connect_slot() as session, contextlib.suppress(psycopg.errors.InvalidAuthorizationSpecification):
                enter(session, key, TENANT_A, key_id=key_id)
                valid.add(key_id)
        return valid

    old, new = cell.key, secrets.token_bytes(64)
    cell.protect()
    assert accepted() == {1}
    cell.change_key(2, new)
    cell.protect("--previous-key", f"1={cell.write_secret('old-key', old.hex())}")
    assert accepted() == {1, 2}
    cell.protect()
    assert accepted() == {2}


@pytest.mark.parametrize("option", ["1", "x=f", "=f", "2=f", "1=/nowhere"])
def test_a_previous_key_that_makes_no_sense(cell, option):
    path = cell.write_secret("f", "00" * 64)
    cell.change_key(2, cell.key)
    done = cell.protect("--previous-key", option.replace("=f", f"={path}"), check=False)
    assert done.returncode == 1 and "partywall schema protect: " in done.stderr
    assert cell.execute("SELECT to_regnamespace('partywall')") == [(None,)]


def test_runs_at_the_same_time_wait_for_each_other(cell):
    cell.execute(UUID_TABLE)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: cell.protect(), range(4)))
    assert sum("nothing was to be changed" in process.stdout for process in done) == 3
    assert cell.steps() == []


def test_it_does_not_wait_long_for_a_busy_table(cell):
    cell.execute(UUID_TABLE)
    with cell.postgres.connect(cell.name, autocommit=False) as reader:
        reader.execute("SELECT * FROM item")
        done = cell.protect("--lock-timeout", "0.2", check=False)
    assert done.returncode == 1 and "lock timeout" in done.stderr
    assert cell.execute("SELECT to_regnamespace('partywall')") == [(None,)]
    cell.protect()


def test_a_database_that_is_not_there(cell):
    done = cell.protect(check=False, database="no_such_database")
    assert done.returncode == 6
    assert 'database "no_such_database" does not exist' in done.stderr
