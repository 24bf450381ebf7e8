"""Slot roles: what one tenant's statements can do to the server connection of another, and to the next."""
import time

import psycopg
import pytest
from psycopg import errors
from support.register import TENANT_A, TENANT_B, enter


def test_statements_of_another_slot_cannot_be_seen(shop):
    with shop.connect_slot(1, TENANT_A) as victim, shop.connect_slot(2, TENANT_B) as spy:
        victim.execute("SELECT 'a secret of the victim'")
        rows = spy.execute("SELECT query, application_name, client_addr, state, wait_event, xact_start FROM "
                           "pg_stat_activity WHERE pid = %s", [victim.info.backend_pid]).fetchall()
        assert rows == [("<insufficient privilege>", None if rows[0][1] is None else "", None, None, None, None)]
        assert spy.execute("SELECT pg_stat_get_backend_activity(i) FROM pg_stat_get_backend_idset() i WHERE "
                           "pg_stat_get_backend_pid(i) = %s", [victim.info.backend_pid]).fetchone() == \
            ("<insufficient privilege>",)


@pytest.mark.parametrize("function", ["pg_cancel_backend", "pg_terminate_backend"])
def test_statements_of_another_slot_cannot_be_ended(shop, function):
    with shop.connect_slot(1, TENANT_A) as victim, shop.connect_slot(2, TENANT_B) as attacker:
        with pytest.raises(errors.InsufficientPrivilege):
            attacker.execute(f"SELECT {function}(%s)", [victim.info.backend_pid])
        assert victim.execute("SELECT 1").fetchone() == (1,)


def test_with_one_shared_login_they_could(shop):
    """Why there are slot roles."""
    shop.execute(f"CREATE ROLE shared_login LOGIN PASSWORD 'x'; GRANT CONNECT ON DATABASE {shop.name} TO shared_login")
    try:
        with shop.postgres.connect(shop.name, "shared_login", "x") as victim, \
                shop.postgres.connect(shop.name, "shared_login", "x") as attacker:
            victim.execute("SELECT 'a secret of the victim'")
            assert attacker.execute("SELECT query FROM pg_stat_activity WHERE pid = %s",
                                    [victim.info.backend_pid]).fetchone() == ("SELECT 'a secret of the victim'",)
            assert attacker.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid]).fetchone() == (True,)
            with pytest.raises(psycopg.OperationalError):
                victim.execute("SELECT 1")
    finally:
        shop.execute("DROP OWNED BY shared_login; DROP ROLE shared_login")


@pytest.mark.parametrize("statement", [
    "GRANT {own} TO {other}",
    "GRANT {own} TO {other} WITH ADMIN OPTION",
    "GRANT {other} TO {own}",
    "SET ROLE {other}",
    "SET SESSION AUTHORIZATION {other}",
    "ALTER ROLE {other} PASSWORD 'x'",
    "ALTER ROLE {other} SET search_path = ''",
    "DROP OWNED BY {other}",
    "REASSIGN OWNED BY {other} TO {own}",
])
def test_a_slot_role_gets_at_no_other(shop, statement):
    """Before PostgreSQL 15 a login could grant itself to others, who could then end its statements."""
    with shop.connect_slot(1, TENANT_A) as session:
        with pytest.raises(errors.InsufficientPrivilege):
            session.execute(statement.format(own=shop.slot_role(1), other=shop.slot_role(2)))


def test_a_slot_role_has_one_connection(shop):
    with shop.connect_slot(1) as first:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            shop.postgres.connect(shop.name, shop.slot_role(1), shop.slot_password)
        assert first.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("relation", ["pg_authid", "pg_shadow", "pg_user_mapping", "pg_hba_file_rules", "pg_config"])
def test_secrets_of_the_server_are_not_readable(shop, relation):
    with shop.connect_slot() as session, pytest.raises(errors.InsufficientPrivilege):
        session.execute(f"SELECT * FROM pg_catalog.{relation}")


def test_statistics_of_planner_show_no_foreign_values(shop):
    with shop.connect_slot(tenant=TENANT_A) as session:
        assert session.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'item'").fetchone() == (0,)
        with pytest.raises(errors.InsufficientPrivilege):
            session.execute("SELECT * FROM pg_statistic")


def test_pg_stat_statements_is_not_readable(shop):
    """A slot role is the same for one tenant after the other: it would see their utility statements."""
    shop.execute("CREATE EXTENSION pg_stat_statements")
    try:
        shop.protect()
        with shop.connect_slot(tenant=TENANT_A) as session:
            for statement in ("SELECT * FROM pg_stat_statements", "SELECT * FROM pg_stat_statements(true)",
                              "SELECT * FROM pg_stat_statements_info"):
                with pytest.raises(errors.InsufficientPrivilege):
                    session.execute(statement)
        assert shop.steps() == []
    finally:
        shop.execute("DROP EXTENSION pg_stat_statements")


def test_names_of_prepared_statements_are_not_readable(shop):
    """Whoever knew the door's names could put other SQL under them."""
    with shop.connect_slot(tenant=TENANT_A) as session:
        for statement in ("SELECT name FROM pg_prepared_statements", "SELECT * FROM pg_prepared_statement()"):
            with pytest.raises(errors.InsufficientPrivilege):
                session.execute(statement)


def test_start_up_options_win_over_the_settings_of_a_role(shop):
    """A tenant may ALTER ROLE CURRENT_USER; DISCARD ALL too returns to the start-up options."""
    options = "-c default_transaction_read_only=off -c search_path=public -c statement_timeout=0"
    with shop.connect_slot(tenant=TENANT_A) as tenant:
        for setting in ("default_transaction_read_only = on", "search_path = nowhere", "statement_timeout = 60000"):
            tenant.execute(f"ALTER ROLE CURRENT_USER SET {setting}")
            tenant.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {shop.name} SET {setting}")

    def settings(connection):
        return connection.execute("SELECT current_setting('default_transaction_read_only'), "
                                  "current_setting('search_path'), current_setting('statement_timeout')").fetchone()

    with shop.connect_slot() as without:
        assert settings(without) == ("on", "nowhere", "1min")
    with shop.connect_slot(options=options) as with_options:
        assert settings(with_options) == ("off", "public", "0")
        with_options.execute("SET search_path = elsewhere; SET default_transaction_read_only = on")
        with_options.execute("DISCARD ALL")
        assert settings(with_options) == ("off", "public", "0")
    shop.protect()
    with shop.connect_slot() as healed:
        assert settings(healed) == ("off", '"$user", public', "0")


def test_a_changed_password_is_healed(shop):
    with shop.connect_slot(tenant=TENANT_A) as tenant:
        tenant.execute("ALTER ROLE CURRENT_USER PASSWORD 'mine now'")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        shop.connect_slot()
    shop.protect()
    with shop.connect_slot(tenant=TENANT_A) as healed:
        assert healed.execute("SELECT count(*) FROM item").fetchone() == (5000,)


def test_a_slot_role_cannot_drop_what_it_was_granted(shop):
    """DROP OWNED revokes only what one could revoke oneself: a tenant cannot make a slot role useless with it."""
    with shop.connect_slot(tenant=TENANT_A) as tenant:
        tenant.execute("DROP OWNED BY CURRENT_USER")
        tenant.execute(f"REVOKE CONNECT ON DATABASE {shop.name} FROM CURRENT_USER")
    assert shop.steps() == []
    with shop.connect_slot(tenant=TENANT_A) as session:
        assert session.execute("SELECT count(*) FROM item").fetchone() == (5000,)


def test_other_roles_cannot_connect_any_more(shop):
    shop.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            shop.postgres.connect(shop.name, "stranger", "x")
    finally:
        shop.execute("DROP ROLE stranger")


def test_temporary_tables_are_gone_after_discard_all(shop_with_temp):
    with shop_with_temp.connect_slot(tenant=TENANT_A) as session:
        session.execute("CREATE TEMP TABLE item AS SELECT 'shadow' AS name")
        assert session.execute("SELECT * FROM item").fetchall() == [("shadow",)]
        session.execute("DISCARD ALL")
        enter(session, shop_with_temp.key, TENANT_B)
        assert session.execute("SELECT count(*) FROM item").fetchone() == (5000,)


def test_a_lock_that_a_tenant_can_take_does_not_keep_others_from_entering(shop):
    with shop.connect_slot(1, TENANT_A) as attacker:
        attacker.execute("BEGIN")
        attacker.execute("SELECT last_value FROM partywall.current_tenant")
        for statement in ("SELECT * FROM partywall.current_tenant FOR UPDATE",
                          "LOCK TABLE partywall.current_tenant IN ACCESS EXCLUSIVE MODE"):
            attacker.execute("SAVEPOINT s")
            with pytest.raises(psycopg.Error):
                attacker.execute(statement)
            attacker.execute("ROLLBACK TO s")
        started = time.monotonic()
        with shop.connect_slot(2, options="-c lock_timeout=5s") as neighbour:
            enter(neighbour, shop.key, TENANT_B)
            assert neighbour.execute("SELECT count(*) FROM item").fetchone() == (5000,)
        assert time.monotonic() - started < 60  # it did not wait for the attacker, who is still there
        attacker.execute("ROLLBACK")
