"""What the tenant register promises, and what it relies on in PostgreSQL (docs/tenant-register.md)."""
import contextlib

import psycopg
import pytest
from psycopg import errors
from support.register import (TENANT_A, TENANT_B, TENANT_HIGH, TENANT_LOW, enter, enter_by_function_call,
                              token)


def tenant_of(connection):
    return connection.execute("SELECT partywall.tenant_id()").fetchone()[0]


def count(connection):
    return connection.execute("SELECT count(*) FROM item").fetchone()[0]


def assert_empty(connection):
    with pytest.raises(errors.ObjectNotInPrerequisiteState):  # 55000
        tenant_of(connection)
    with pytest.raises(errors.ObjectNotInPrerequisiteState):
        count(connection)


@pytest.mark.parametrize("tenant", [TENANT_A, TENANT_B, TENANT_HIGH, TENANT_LOW])
def test_enter_sets_the_tenant_of_the_session(shop, tenant):
    with shop.connect_slot(tenant=tenant) as session:
        assert tenant_of(session) == tenant


def test_the_function_call_message_enters_too(shop):
    with shop.connect_slot() as session:
        assert enter_by_function_call(session, shop.key, TENANT_A) == ""
        assert tenant_of(session) == TENANT_A
        assert "not empty" in enter_by_function_call(session, shop.key, TENANT_B)


def test_each_tenant_sees_its_own_rows(shop):
    for tenant in (TENANT_A, TENANT_B):
        with shop.connect_slot(tenant=tenant) as session:
            assert session.execute("SELECT DISTINCT tenant_id FROM item").fetchall() == [(tenant,)]
            assert count(session) == 5000


def test_an_empty_register_fails_closed(shop):
    with shop.connect_slot() as session:
        assert_empty(session)
        for statement in ("INSERT INTO item (id) VALUES (1)", "UPDATE item SET name = ''", "DELETE FROM item",
                          "INSERT INTO item (tenant_id, id) VALUES (gen_random_uuid(), 1)"):
            with pytest.raises(errors.ObjectNotInPrerequisiteState):
                session.execute(statement)


def test_rows_are_written_for_the_own_tenant_only(shop):
    with shop.connect_slot(tenant=TENANT_A, autocommit=False) as session:
        row = session.execute("INSERT INTO item (id) VALUES (-1) RETURNING tenant_id").fetchone()
        assert row == (TENANT_A,)
        session.rollback()
        for statement in ("INSERT INTO item (tenant_id, id) VALUES (%s, -1)",
                          "UPDATE item SET tenant_id = %s WHERE id = 1"):
            with pytest.raises(errors.InsufficientPrivilege):
                session.execute(statement, [TENANT_B])
            session.rollback()
        assert session.execute("DELETE FROM item WHERE tenant_id = %s", [TENANT_B]).rowcount == 0
        assert session.execute("UPDATE item SET name = '' WHERE tenant_id = %s", [TENANT_B]).rowcount == 0
        session.rollback()


def test_it_survives_a_rollback(shop):
    with shop.connect_slot(tenant=TENANT_A) as session:
        session.execute("BEGIN")
        session.execute("UPDATE item SET name = 'x' WHERE id = 1")
        session.execute("ROLLBACK")
        assert tenant_of(session) == TENANT_A
        session.execute("BEGIN")
        with contextlib.suppress(errors.DivisionByZero):
            session.execute("SELECT 1 / 0")
        session.execute("ROLLBACK")
        assert tenant_of(session) == TENANT_A


def test_it_survives_the_rollback_of_the_transaction_that_wrote_it(shop):
    with shop.connect_slot() as session:
        session.execute("BEGIN")
        enter(session, shop.key, TENANT_A)
        session.execute("ROLLBACK")
        assert tenant_of(session) == TENANT_A


def test_it_is_read_in_read_only_transactions_and_not_written(shop):
    with shop.connect_slot(tenant=TENANT_A) as session:
        session.execute("BEGIN TRANSACTION READ ONLY")
        assert count(session) == 5000
        session.execute("COMMIT")
    with shop.connect_slot() as session:
        session.execute("BEGIN TRANSACTION READ ONLY")
        with pytest.raises(errors.ReadOnlySqlTransaction):  # 25006
            enter(session, shop.key, TENANT_A)
        session.execute("ROLLBACK")
        assert_empty(session)
        session.execute("SET default_transaction_read_only = on")
        with pytest.raises(errors.ReadOnlySqlTransaction):
            enter(session, shop.key, TENANT_A)
        assert "read-only" in enter_by_function_call(session, shop.key, TENANT_A)
        assert_empty(session)


def test_it_is_private_to_a_session(shop):
    with shop.connect_slot(1, TENANT_A) as one, shop.connect_slot(2, TENANT_B) as two, shop.connect_slot(3) as three:
        assert (tenant_of(one), tenant_of(two)) == (TENANT_A, TENANT_B)
        assert_empty(three)


@pytest.mark.parametrize("statement", ["DISCARD ALL", "DISCARD SEQUENCES", "DO 'BEGIN DISCARD SEQUENCES; END'"])
def test_discarding_empties_it(shop, statement):
    with shop.connect_slot(tenant=TENANT_A) as session:
        session.execute(statement)
        assert_empty(session)
        enter(session, shop.key, TENANT_B)
        assert tenant_of(session) == TENANT_B


@pytest.mark.parametrize("statement", ["RESET ALL", "DISCARD PLANS", "DISCARD TEMP", "SET SESSION AUTHORIZATION DEFAULT",
                                       "RESET ROLE", "SET ROLE NONE", "DEALLOCATE ALL", "UNLISTEN *"])
def test_other_resets_leave_it_alone(shop, statement):
    with shop.connect_slot(tenant=TENANT_A) as session:
        session.execute(statement)
        assert tenant_of(session) == TENANT_A


def test_enter_refuses_a_register_that_is_not_empty(shop):
    with shop.connect_slot(tenant=TENANT_A) as session:
        for tenant in (TENANT_A, TENANT_B):
            with pytest.raises(errors.ObjectInUse):  # 55006
                enter(session, shop.key, tenant)
        assert tenant_of(session) == TENANT_A


def test_a_token_with_one_changed_byte_is_refused(shop):
    with shop.connect_slot() as session:
        right = token(shop.key, TENANT_A, session.info.backend_pid)
        for position in range(len(right)):
            wrong = bytearray(right)
            wrong[position] ^= 1
            with pytest.raises(errors.InvalidAuthorizationSpecification):  # 28000
                session.execute("SELECT partywall.enter(%b)", [bytes(wrong)])
        assert_empty(session)
        session.execute("SELECT partywall.enter(%b)", [right])
        assert tenant_of(session) == TENANT_A


@pytest.mark.parametrize("why, detail", [
    ({"expires_in": 0}, "expired"),
    ({"expires_in": -1}, "expired"),
    ({"key_id": 2}, "key"),
    ({"pid": 1}, "another server process"),
    ({"key": b"k" * 64}, "signature"),
])
def test_a_wrong_token_is_refused_and_says_why(shop, why, detail):
    with shop.connect_slot() as session:
        claims = {"key": shop.key, "tenant": TENANT_A, "pid": session.info.backend_pid} | why
        with pytest.raises(errors.InvalidAuthorizationSpecification) as refused:
            session.execute("SELECT partywall.enter(%b)", [token(**claims)])
        assert detail in refused.value.diag.message_detail
        assert_empty(session)


def test_a_token_of_another_length_is_refused(shop):
    with shop.connect_slot() as session:
        right = token(shop.key, TENANT_A, session.info.backend_pid)
        for wrong in (b"", right[:4], right[:32], right[:63], right + b"\0", b"\0" * 64, right * 1000):
            with pytest.raises(errors.InvalidAuthorizationSpecification):
                session.execute("SELECT partywall.enter(%b)", [wrong])
        session.execute("SELECT partywall.enter(NULL)")
        assert_empty(session)


def test_a_token_of_one_session_is_no_use_to_another(shop):
    with shop.connect_slot(1) as one, shop.connect_slot(2) as two:
        stolen = token(shop.key, TENANT_A, one.info.backend_pid)
        with pytest.raises(errors.InvalidAuthorizationSpecification):
            two.execute("SELECT partywall.enter(%b)", [stolen])


@pytest.mark.parametrize("statement", [
    "SELECT setval('partywall.current_tenant', 1)",
    "SELECT setval('partywall.current_tenant_low', 1)",
    "SELECT nextval('partywall.current_tenant')",
    "ALTER SEQUENCE partywall.current_tenant RESTART",
    "DROP SEQUENCE partywall.current_tenant",
    "DROP SCHEMA partywall CASCADE",
    "CREATE TABLE partywall.mine ()",
    "CREATE OR REPLACE FUNCTION partywall.tenant_id() RETURNS uuid LANGUAGE sql RETURN gen_random_uuid()",
    "ALTER FUNCTION partywall.tenant_id() RENAME TO other",
    "GRANT ALL ON partywall.register_key TO PUBLIC",
    "SELECT * FROM partywall.register_key",
    "TABLE partywall.register_key LIMIT 0",
    "COPY partywall.register_key TO STDOUT",
    "INSERT INTO partywall.register_key VALUES (9, '', '')",
    "BEGIN; LOCK TABLE partywall.register_key",
    "ALTER TABLE item DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE item NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY partywall_tenant ON item",
    "CREATE POLICY mine ON item USING (true)",
    "TRUNCATE item",
    "CREATE TRIGGER t BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE TEMP TABLE mine (id int)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1",
    "SET ROLE partywall_owner",
    "SET SESSION AUTHORIZATION partywall_owner",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "ALTER ROLE CURRENT_USER CONNECTION LIMIT 10",
    "ALTER DATABASE {database} SET row_security = off",
])
def test_a_tenant_cannot_write_the_register_nor_weaken_the_protection(shop, statement):
    with shop.connect_slot(tenant=TENANT_A) as session:
        with pytest.raises((errors.InsufficientPrivilege, errors.InvalidObjectDefinition)) as refused:
            session.execute(statement.format(database=shop.name))
        assert refused.value.sqlstate == "42501"
        session.execute("ROLLBACK")
        assert tenant_of(session) == TENANT_A


def test_granting_rights_that_one_has_not_is_without_effect(shop):
    with shop.connect_slot(tenant=TENANT_A) as session:
        session.execute("GRANT ALL ON partywall.current_tenant, partywall.current_tenant_low TO PUBLIC")
        with pytest.raises(errors.InsufficientPrivilege):
            session.execute("SELECT setval('partywall.current_tenant', 1)")
    assert shop.steps() == []


def test_row_security_off_is_an_error_and_no_way_around(shop):
    with shop.connect_slot(tenant=TENANT_A) as session:
        session.execute("SET row_security = off")
        with pytest.raises(errors.InsufficientPrivilege):
            count(session)


def test_the_owner_of_a_table_is_no_exception(shop):
    shop.execute("CREATE ROLE item_owner LOGIN PASSWORD 'owner'")
    try:
        shop.execute(f"GRANT CONNECT ON DATABASE {shop.name} TO item_owner; ALTER TABLE item OWNER TO item_owner")
        with shop.postgres.connect(shop.name, "item_owner", "owner") as owner:
            assert_empty(owner)
            enter(owner, shop.key, TENANT_B)
            assert owner.execute("SELECT DISTINCT tenant_id FROM item").fetchall() == [(TENANT_B,)]
    finally:
        shop.execute("ALTER TABLE item OWNER TO postgres; DROP OWNED BY item_owner; DROP ROLE item_owner")


def test_a_policy_added_later_cannot_open_the_table(shop):
    shop.execute("CREATE POLICY everything ON item USING (true)")
    try:
        with shop.connect_slot(tenant=TENANT_A) as session:
            assert session.execute("SELECT DISTINCT tenant_id FROM item").fetchall() == [(TENANT_A,)]
    finally:
        shop.execute("DROP POLICY everything ON item")


def test_entering_takes_no_transaction_id_and_writes_no_wal(shop):
    with shop.connect_slot() as session, shop.postgres.connect(shop.name) as observer:
        def written_by_entering():
            session.execute("DISCARD SEQUENCES")
            session.execute("BEGIN")
            before = observer.execute("SELECT pg_current_wal_insert_lsn()").fetchone()[0]
            enter(session, shop.key, TENANT_A)
            assert session.execute("SELECT pg_current_xact_id_if_assigned()").fetchone() == (None,)
            session.execute("COMMIT")
            return observer.execute("SELECT pg_current_wal_insert_lsn() - %s::pg_lsn", [before]).fetchone()[0]

        # Something else may write at the same moment: the least counts.
        assert min(written_by_entering() for _ in range(10)) == 0


def test_the_last_tenant_can_be_seen_by_all(shop):
    """Documented: the UUIDs of tenants are no secrets."""
    with shop.connect_slot(1, TENANT_A), shop.connect_slot(2) as other:
        high, low = (other.execute(f"SELECT last_value FROM partywall.{name}").fetchone()[0]
                     for name in ("current_tenant", "current_tenant_low"))
        assert high.to_bytes(8, "big", signed=True) + low.to_bytes(8, "big", signed=True) == TENANT_A.bytes


def test_lastval_does_not_show_it(shop):
    with shop.connect_slot(tenant=TENANT_A) as session:
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            session.execute("SELECT lastval()")


def test_a_seed_survives_discard_all_and_entering_replaces_it(shop):
    def draw(connection, *preparations):
        connection.execute("SELECT setseed(0.42)")
        for preparation in preparations:
            preparation(connection)
        return connection.execute("SELECT random()").fetchone()[0]

    with shop.connect_slot() as session:
        known = draw(session)
        assert draw(session, lambda c: c.execute("DISCARD ALL")) == known
        drawn = {draw(session, lambda c: c.execute("DISCARD ALL"), lambda c: enter(c, shop.key, TENANT_A))
                 for _ in range(5)}
        assert known not in drawn and len(drawn) == 5


def test_two_keys_are_live_while_rotating(shop):
    other = b"n" * 64
    blocks = [bytes(byte ^ pad for byte in other) for pad in (0x36, 0x5C)]
    with shop.postgres.connect(shop.name) as superuser:
        superuser.execute("INSERT INTO partywall.register_key VALUES (2, %b, %b)", blocks)
    try:
        for key, key_id in ((shop.key, 1), (other, 2)):
            with shop.connect_slot() as session:
                enter(session, key, TENANT_A, key_id=key_id)
                assert tenant_of(session) == TENANT_A
        with shop.connect_slot() as session, pytest.raises(errors.InvalidAuthorizationSpecification):
            enter(session, other, TENANT_A, key_id=1)
    finally:
        assert shop.steps() != []
        shop.protect()
        assert shop.execute("SELECT key_id FROM partywall.register_key") == [(1,)]


def test_a_login_as_somebody_else_has_an_empty_register(shop):
    shop.execute("SELECT set_config('partywall.probe', '', false)")
    with shop.postgres.connect(shop.name) as superuser, pytest.raises(psycopg.Error) as refused:
        tenant_of(superuser)
    assert refused.value.sqlstate == "55000"
    assert "current_tenant" in str(refused.value)
