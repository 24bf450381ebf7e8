"""What a tenant could try against another through a converted schema."""
import threading

import psycopg
import pytest
from support.register import TENANT_A, TENANT_B

NEXT = "SELECT partywall_sequences.next_value('public.invoice_number'::regclass)"


def one(connection, statement, *parameters):
    return connection.execute(statement, parameters).fetchone()[0]


def test_numbers_are_each_tenants_own(zoo):
    """However many A draws, B's go on by one step; a tenant's rows fill their columns with them."""
    with zoo.target.connect_slot(1, TENANT_A) as a, zoo.target.connect_slot(2, TENANT_B) as b:
        before = one(b, NEXT)
        for _ in range(20):
            one(a, NEXT)
        assert one(b, NEXT) == before + 5
        with b.transaction(force_rollback=True):
            row = b.execute("INSERT INTO person (name) VALUES ('Cleo') RETURNING id, number, code, nickname").fetchone()
            # Two rows were loaded; number and code draw from one sequence, one after the other.
            assert row == (3, 5, "P-6", "new 3")


@pytest.mark.parametrize("statement", [
    "SELECT nextval('public.invoice_number')",
    "SELECT setval('public.invoice_number', 1)",
    "SELECT last_value FROM public.invoice_number",
    "SELECT nextval('public.person_number_seq')",
    "SELECT partywall_sequences.sequence_of('public.invoice_number', '{b}')",
    "SELECT nextval({sequence})",
    "SELECT setval({sequence}, 1)",
    "SELECT currval({sequence})",
    "SELECT lastval()",
    "ALTER SEQUENCE partywall_sequences.{name} RESTART",
    "DROP SEQUENCE partywall_sequences.{name}",
    "CREATE SEQUENCE partywall_sequences.mine",
    "SET ROLE partywall_sequences",
    "CREATE OR REPLACE FUNCTION partywall_sequences.next_value(template regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
])
def test_another_tenants_sequence_cannot_be_reached(zoo, postgres, statement):
    [(number, name)] = postgres.execute(
        f"SELECT partywall_sequences.sequence_of('public.invoice_number', '{TENANT_B}')::oid::bigint, "
        f"'s_' || md5('public.invoice_number/{TENANT_B}')", zoo.target.name)
    statement = statement.format(b=TENANT_B, sequence=f"{number}::oid::regclass", name=name)
    with zoo.target.connect_slot(1, TENANT_A) as a:
        one(a, NEXT)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            a.execute(statement)


@pytest.mark.parametrize("template", ["'partywall.current_tenant'", "'public.person'", "0", "'pg_catalog.pg_class'",
                                      "(SELECT oid FROM pg_class WHERE relname LIKE 's\\_%' AND relkind = 'S' LIMIT 1)"])
def test_only_the_applications_sequences_are_templates(zoo, postgres, template):
    """Else a tenant could make sequences without end."""
    with zoo.target.connect_slot(1, TENANT_A) as a:
        one(a, NEXT)
        count = one(a, "SELECT count(*) FROM pg_class WHERE relkind = 'S'")
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            a.execute(f"SELECT partywall_sequences.next_value({template}::regclass)")
        assert one(a, "SELECT count(*) FROM pg_class WHERE relkind = 'S'") == count


def test_names_of_sequences_do_not_tell_who_the_tenants_are(zoo, postgres):
    names = postgres.execute("SELECT relname FROM pg_class WHERE relnamespace = 'partywall_sequences'::regnamespace", zoo.target.name)
    assert len(names) > 3
    assert not [name for (name,) in names if str(TENANT_A)[:8] in name or str(TENANT_B)[:8] in name]


def test_without_a_tenant_there_is_no_number(zoo):
    with zoo.target.connect_slot(1) as nobody, pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        nobody.execute(NEXT)


def test_two_first_numbers_at_once_are_two_numbers(zoo):
    """The sequence is made by whoever is first; the other waits, and finds it."""
    tenant, other = TENANT_A.__class__(int=4711), TENANT_A.__class__(int=4712)
    with zoo.target.connect_slot(1, tenant, autocommit=False) as first, zoo.target.connect_slot(2, tenant) as second:
        assert one(first, NEXT) == 1000
        drawn = []
        thread = threading.Thread(target=lambda: drawn.append(one(second, NEXT)))
        thread.start()
        first.commit()
        thread.join()
        assert drawn == [1005]
    with zoo.target.connect_slot(3, other, autocommit=False) as lonely:
        assert one(lonely, NEXT) == 1000
        lonely.rollback()
        assert one(lonely, NEXT) == 1000  # it never was


def test_a_foreign_key_to_anothers_row_fails_as_if_there_were_none(zoo):
    with zoo.target.connect_slot(1, TENANT_A) as a, zoo.target.connect_slot(2, TENANT_B) as b:
        hidden = one(b, "INSERT INTO person (name) VALUES ('Hidden') RETURNING id")
        try:
            a.execute("DELETE FROM person WHERE id > 2")
            for target in (hidden, 10 ** 9):
                with pytest.raises(psycopg.errors.ForeignKeyViolation) as error:
                    a.execute("INSERT INTO booking VALUES (%s, 1, '[2024-01-01,2024-01-02)')", [target])
                assert error.value.diag.constraint_name == "booking_person_fkey"
                with pytest.raises(psycopg.errors.ForeignKeyViolation):
                    a.execute("UPDATE person SET manager = %s", [target])
        finally:
            b.execute("DELETE FROM person WHERE id = %s", [hidden])


def test_on_conflict_and_unique_keys_tell_nothing_of_anothers_values(zoo):
    with zoo.target.connect_slot(1, TENANT_A) as a, zoo.target.connect_slot(2, TENANT_B) as b:
        b.execute("INSERT INTO person (name, mail, tax_id, nickname) VALUES ('Secret', 'secret@example.com', 'S-1', 'sss')")
        try:
            with a.transaction(force_rollback=True):
                row = a.execute("INSERT INTO person (name, mail, tax_id, nickname) VALUES ('Secret', 'secret@example.com', 'S-1', 'sss') "
                                "ON CONFLICT ON CONSTRAINT person_tax_id DO NOTHING RETURNING name").fetchone()
                assert row == ("Secret",)
                changed = a.execute("INSERT INTO person (name, tax_id) VALUES ('Another', 'S-1') "
                                    "ON CONFLICT ON CONSTRAINT person_tax_id DO UPDATE SET name = 'changed' RETURNING name")
                assert changed.fetchone() == ("changed",)
            assert b.execute("SELECT name FROM person WHERE tax_id = 'S-1'").fetchall() == [("Secret",)]
            with pytest.raises(psycopg.errors.InvalidColumnReference):
                a.execute("INSERT INTO person (name, tax_id) VALUES ('x', '1') ON CONFLICT (tax_id) DO NOTHING")
        finally:
            b.execute("DELETE FROM person WHERE tax_id = 'S-1'")


def test_an_exclusion_constraint_meets_the_tenants_own_rows_only(zoo):
    booking = "INSERT INTO booking VALUES (1, 99, '[2030-01-01,2030-01-05)')"
    with zoo.target.connect_slot(1, TENANT_A) as a, zoo.target.connect_slot(2, TENANT_B) as b:
        with a.transaction(force_rollback=True):
            a.execute(booking)
            b.execute(booking)
            b.execute("DELETE FROM booking WHERE room = 99")
            with pytest.raises(psycopg.errors.ExclusionViolation) as error, a.transaction():
                a.execute(booking)
            assert error.value.diag.constraint_name == "no_double_booking"


def test_views_and_functions_show_the_readers_rows(zoo):
    with zoo.target.connect_slot(1, TENANT_A) as a, zoo.target.connect_slot(2, TENANT_B) as b:
        b.execute("INSERT INTO person (name) VALUES ('Zoe')")
        try:
            assert one(a, 'SELECT "how many" FROM name_count') == 2
            assert one(b, 'SELECT "how many" FROM name_count') == 3
            assert one(a, "SELECT everybody()") == 2
            assert one(a, "SELECT sum(count) FROM totals") == 2
            assert one(a, "SELECT joined(letter ORDER BY letter) FROM letters") == "AB"
        finally:
            b.execute("DELETE FROM person WHERE name = 'Zoe'")


def test_deleting_sets_null_in_the_tenants_rows_only(zoo):
    with zoo.target.connect_slot(1, TENANT_A) as a, zoo.target.connect_slot(2, TENANT_B) as b:
        with a.transaction(force_rollback=True):
            a.execute("DELETE FROM person WHERE id = 1")
            assert a.execute("SELECT id, manager, tenant_id FROM person").fetchall() == [(2, None, TENANT_A)]
        assert one(b, "SELECT manager FROM person WHERE id = 2") == 1


def test_tables_for_all_may_be_read_and_no_more(zoo):
    with zoo.target.connect_slot(1, TENANT_A) as a:
        assert one(a, "SELECT count(*) FROM country") == 0
        for statement in ("INSERT INTO country VALUES ('xx', 'X')", "DELETE FROM django_migrations", "TRUNCATE person",
                          "SELECT wipe()", "CREATE TABLE mine (id int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                a.execute(statement)
