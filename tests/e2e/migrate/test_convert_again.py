"""`partywall schema convert` on databases that are not as it wants them: what it adds, what it refuses, what it leaves."""
import json
import subprocess

import psycopg
import pytest
from conversion import copy_rows
from support.register import TENANT_A, TENANT_B
from zoo import ZOO, ZOO_RULES

SHOP = """
CREATE TABLE customer (id serial PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE purchase (id serial PRIMARY KEY, customer int REFERENCES customer ON DELETE CASCADE, price int CHECK (price > 0));
CREATE VIEW expensive AS SELECT * FROM purchase WHERE price > 100;
INSERT INTO customer (email) VALUES ('a@example.com');
INSERT INTO purchase (customer, price) VALUES (1, 5);
"""


@pytest.fixture
def shop(empty, postgres):
    """Converted, with a tenant's rows."""
    postgres.execute(SHOP, empty.source)
    empty.target.convert(empty.source)
    copy_rows(postgres, empty.source, empty.target.name, TENANT_A)
    return empty


def schema_of(pair):
    return pair.target.execute("SELECT oid::regclass::text, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")


def test_a_dry_run_changes_nothing_and_says_everything(empty, postgres):
    postgres.execute(ZOO, empty.source)
    script = empty.target.convert(empty.source, "--dry-run", rules=ZOO_RULES).stdout
    assert schema_of(empty) == []
    for part in ("ALTER TABLE public.person ADD CONSTRAINT person_pkey PRIMARY KEY (tenant_id, id);",
                 "ON DELETE SET NULL (manager)", "EXCLUDE USING gist (tenant_id WITH =, room WITH =, during WITH &&)",
                 "FORCE ROW LEVEL SECURITY", "-- global tables (2): public.country, public.django_migrations",
                 "-- What may break in the application:", "-- warning: function public.everybody(): it was SECURITY DEFINER"):
        assert part in script, part
    planned = empty.target.plan(empty.source, rules=ZOO_RULES)
    assert planned["refusals"] == [] and not planned["carried_out"]
    done = json.loads(empty.target.convert(empty.source, "--format", "json", rules=ZOO_RULES).stdout)
    # What was planned is what is done; protecting what is there names no table less.
    assert done["carried_out"]
    assert [step["sql"] for step in planned["steps"]] == [step["sql"] for step in done["steps"]]


def test_what_the_applications_migrations_add_is_added(shop, postgres):
    postgres.execute("""
        ALTER TABLE purchase ADD note text, ADD paid boolean NOT NULL DEFAULT false, ALTER price SET NOT NULL;
        CREATE TABLE refund (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, purchase int NOT NULL REFERENCES purchase);
        CREATE INDEX purchase_note ON purchase (note);
        CREATE OR REPLACE VIEW expensive AS SELECT id, customer, price FROM purchase WHERE price > 200;
        COMMENT ON TABLE refund IS 'money back';
        """, shop.source)
    assert shop.target.convert(shop.source).returncode == 0
    assert shop.target.plan(shop.source)["steps"] == []
    with shop.target.connect_slot(1, TENANT_A) as tenant:
        assert tenant.execute("SELECT note, paid FROM purchase").fetchall() == [(None, False)]
        assert tenant.execute("INSERT INTO refund (purchase) VALUES (1) RETURNING id, tenant_id").fetchall() == [(1, TENANT_A)]
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            tenant.execute("INSERT INTO refund (purchase) VALUES (2)")
    assert [one for one in shop.target.lint() if one["level"] == "error"] == []


REFUSED = {
    "another type": ("ALTER TABLE customer ALTER email TYPE varchar(90)", "ALTER COLUMN email TYPE character varying(90)"),
    "another key": ("ALTER TABLE customer DROP CONSTRAINT customer_email_key, ADD CONSTRAINT customer_email_key UNIQUE (email, id)",
                    "DROP CONSTRAINT customer_email_key; ALTER TABLE public.customer ADD CONSTRAINT customer_email_key UNIQUE (tenant_id, email, id)"),
    "a required column": ("ALTER TABLE purchase ADD due date NOT NULL DEFAULT now(); ALTER TABLE purchase ALTER due DROP DEFAULT",
                          "ADD COLUMN due date NOT NULL"),
    "a column less": ("ALTER TABLE customer DROP email", "ALTER TABLE public.customer DROP COLUMN email"),
    "a rule": ("CREATE RULE r AS ON DELETE TO purchase DO INSTEAD NOTHING", "leave_out"),
    "inheritance": ("CREATE TABLE special () INHERITS (customer)", "leave_out"),
    "a policy": ("CREATE POLICY p ON customer", "leave_out"),
    "a materialized view": ("CREATE MATERIALIZED VIEW m AS SELECT 1", "as_view"),
    "group by a key": ("CREATE VIEW g AS SELECT c.id, c.email, count(*) FROM customer c JOIN purchase p ON p.customer = c.id GROUP BY c.id",
                       "Name all its columns in GROUP BY"),
    "on update": ("ALTER TABLE purchase ADD other int CONSTRAINT o REFERENCES customer ON UPDATE SET NULL", "ON UPDATE CASCADE"),
    "a column of the tenant's name": ("CREATE TABLE t (tenant_id int)", "tenant_column"),
}


PARTED = """
CREATE TABLE shop (id int PRIMARY KEY);
CREATE TABLE payment (id int, month int, shop int REFERENCES shop, note text, CHECK (month > 0), PRIMARY KEY (month, id))
    PARTITION BY LIST (month);
CREATE INDEX payment_shop ON payment (shop);
CREATE TABLE payment_1 PARTITION OF payment FOR VALUES IN (1);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := coalesce(NEW.note, 'of ' || TG_TABLE_NAME); RETURN NEW; END $$;
CREATE TRIGGER note BEFORE INSERT ON payment FOR EACH ROW EXECUTE FUNCTION noted();
INSERT INTO shop VALUES (1);
INSERT INTO payment VALUES (1, 1, 1);
"""


def test_partitions_that_are_new_are_attached_with_their_keys(empty, postgres):
    """Also one that has partitions itself, and one whose keys have names of their own."""
    postgres.execute(PARTED, empty.source)
    empty.target.convert(empty.source)
    copy_rows(postgres, empty.source, empty.target.name, TENANT_A)
    postgres.execute("""
        CREATE TABLE payment_2 PARTITION OF payment FOR VALUES IN (2);
        CREATE TABLE payment_3 (LIKE payment INCLUDING CONSTRAINTS, CONSTRAINT own_name PRIMARY KEY (month, id));
        ALTER TABLE payment ATTACH PARTITION payment_3 FOR VALUES IN (3);
        CREATE TABLE payment_late PARTITION OF payment FOR VALUES IN (4, 5) PARTITION BY RANGE (id);
        CREATE TABLE payment_late_1 PARTITION OF payment_late FOR VALUES FROM (1) TO (1000);
        INSERT INTO payment VALUES (1, 2, 1), (1, 3, 1), (1, 4, 1), (2, 5, 1);
        """, empty.source)
    empty.target.convert(empty.source)
    assert empty.target.plan(empty.source)["steps"] == []
    assert empty.target.lint() == []
    with empty.target.connect_slot(1, TENANT_A) as tenant:
        tenant.execute("INSERT INTO payment (id, month, shop) VALUES (1, 2, 1), (1, 3, 1), (1, 4, 1)")
        assert tenant.execute("SELECT tableoid::regclass::text, note FROM payment ORDER BY month").fetchall() == [
            ("payment_1", "of payment_1"), ("payment_2", "of payment_2"), ("payment_3", "of payment_3"), ("payment_late_1", "of payment_late_1")]
        for again, broken in (("(1, 3, 1)", "own_name"), ("(1, 2, 1)", "payment_2_pkey"), ("(9, 2, 7)", "payment_shop_fkey"), ("(9, -1, 1)", "")):
            with pytest.raises(psycopg.errors.IntegrityError) as refused:
                tenant.execute(f"INSERT INTO payment (id, month, shop) VALUES {again}")
            assert broken in str(refused.value)
    with empty.target.connect_slot(2, TENANT_B) as neighbour:
        assert neighbour.execute("SELECT count(*) FROM payment").fetchone() == (0,)
        for partition in ("payment_1", "payment_2", "payment_3", "payment_late", "payment_late_1"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                neighbour.execute(f"SELECT count(*) FROM {partition}")


@pytest.mark.parametrize("change", REFUSED)
def test_what_it_cannot_do_is_refused_before_anything_is_changed(shop, postgres, change):
    statement, remedy = REFUSED[change]
    # Something that could be done, and is not.
    postgres.execute(f"{statement}; CREATE TABLE new_one (id int)", shop.source)
    done = shop.target.convert(shop.source, check=False)
    assert done.returncode == 1
    assert remedy in done.stdout and "Nothing was changed" in done.stdout
    assert shop.target.execute("SELECT to_regclass('new_one')") == [(None,)]
    assert shop.target.convert(shop.source, "--dry-run", check=False).returncode == 1


def test_a_step_that_fails_leaves_nothing_behind(shop, postgres):
    """The target has rows that the new key does not allow."""
    shop.target.execute(f"INSERT INTO customer (tenant_id, id, email) VALUES ('{TENANT_A}', 2, 'a@example.com ')")
    postgres.execute("CREATE TABLE new_one (id int); CREATE UNIQUE INDEX trimmed ON customer (trim(email))", shop.source)
    done = shop.target.convert(shop.source, check=False)
    assert done.returncode == 1 and "trimmed" in done.stderr
    assert shop.target.execute("SELECT to_regclass('new_one')") == [(None,)]


def test_what_is_there_besides_stays_and_is_reported(shop, postgres):
    shop.target.execute("CREATE TABLE besides (id int); ALTER TABLE purchase ADD more int; CREATE INDEX besides_idx ON purchase (more)")
    messages = [one["object"] + " " + one["message"] for one in shop.target.plan(shop.source)["findings"]]
    for part in ("table public.besides it is not in the source", "table public.purchase column more is not in the source",
                 "table public.purchase index besides_idx is not in the source"):
        assert part in messages
    assert shop.target.convert(shop.source).returncode == 0
    assert shop.target.execute("SELECT to_regclass('besides')::text") == [("besides",)]


def test_what_somebody_opened_is_closed_again(shop):
    shop.target.execute("ALTER TABLE purchase DISABLE ROW LEVEL SECURITY;"
                        "GRANT EXECUTE ON FUNCTION partywall_sequences.sequence_of(regclass, uuid) TO PUBLIC")
    assert shop.target.convert(shop.source).returncode == 0
    assert shop.target.plan(shop.source)["steps"] == []
    with shop.target.connect_slot(1, TENANT_A) as tenant, pytest.raises(psycopg.errors.InsufficientPrivilege):
        tenant.execute("SELECT partywall_sequences.sequence_of('public.customer_id_seq', %s)", [TENANT_A])


def test_a_shared_database_is_no_source(shop):
    done = shop.target.convert(shop.target.name, check=False)
    assert done.returncode == 1 and "shared among tenants already" in done.stderr


def test_mistakes_are_named(empty, postgres):
    postgres.execute(SHOP, empty.source)
    rules = "version: 1\ntables:\n  public.purchases: {class: global}\n"
    done = empty.target.convert(empty.source, rules=rules, check=False)
    assert done.returncode == 2 and "rules.yaml:3:" in done.stderr and "did you mean 'public.purchase'?" in done.stderr
    gone = empty.target.convert("no_such_database", check=False)
    assert gone.returncode == 6 and "no_such_database" in gone.stderr


def test_hostile_names_stay_names(empty, postgres):
    name = '"x"";DROP TABLE kept;--\n\'$$"'
    postgres.execute(f"CREATE TABLE kept (id int); CREATE TABLE {name} ({name} serial PRIMARY KEY, other int REFERENCES {name} ({name}));"
                     f"CREATE INDEX \"i'i\" ON {name} (other); COMMENT ON TABLE {name} IS 'x''; DROP TABLE kept'", empty.source)
    empty.target.convert(empty.source, "--dry-run")
    empty.target.convert(empty.source)
    assert empty.target.plan(empty.source)["steps"] == []
    with empty.target.connect_slot(1, TENANT_A) as tenant:
        assert tenant.execute(f"INSERT INTO public.{name} (other) VALUES (NULL) RETURNING {name}").fetchall() == [(1,)]


def fingerprint(pair, *databases):
    command = [str(pair.target.binary), "schema", "fingerprint", "--format", "json", *databases]
    done = subprocess.run(command, env=pair.target.environment(), capture_output=True, text=True, timeout=120)
    return done.returncode, json.loads(done.stdout)["groups"] if done.stdout else done.stderr


def test_fingerprints_group_customers(empty, postgres):
    postgres.execute(SHOP, empty.source)
    names = [empty.source]
    changes = ["", "ALTER TABLE purchase DROP CONSTRAINT purchase_price_check",
               "ALTER TABLE purchase ALTER price TYPE bigint", ""]
    try:
        for change in changes:
            names.append(postgres.create_database())
            # Other columns first, other numbers of the objects, other rows.
            postgres.execute(SHOP.replace("CREATE TABLE customer", "CREATE TABLE x (i int); DROP TABLE x; CREATE TABLE customer"), names[-1])
            if change:
                postgres.execute("DROP VIEW expensive; " + change + "; CREATE VIEW expensive AS SELECT * FROM purchase WHERE price > 100", names[-1])
        postgres.execute("ALTER TABLE purchase ADD note text", empty.source)
        postgres.execute("ALTER TABLE purchase ADD note text", names[1])
        status, groups = fingerprint(empty, *[postgres.url(name) for name in names])
        assert status == 1
        assert [(one["drift"], len(one["databases"])) for one in groups[:1]] == [("same", 2)]
        by_database = {database.split()[0]: one for one in groups for database in one["databases"]}
        assert by_database[names[4]]["drift"] == "allowed"
        assert by_database[names[4]]["statements"] == ["ALTER TABLE public.purchase ADD COLUMN note text"]
        assert by_database[names[2]]["drift"] == "refused"
        assert "ADD CONSTRAINT purchase_price_check" in "".join(by_database[names[2]]["statements"])
        assert "ALTER COLUMN price TYPE integer" in "".join(by_database[names[3]]["reasons"])
        assert fingerprint(empty, postgres.url(names[0]), postgres.url(names[4]))[0] == 0
        assert fingerprint(empty, postgres.url("no_such_database"))[0] == 6
    finally:
        for name in names[1:]:
            postgres.drop_database(name)


INDEXED = """
CREATE EXTENSION pg_trgm;
CREATE TABLE place (id int PRIMARY KEY, price int, at point, name text, words tsvector, tags text[]);
CREATE INDEX by_price ON place (price); CREATE INDEX by_hash ON place USING hash (name); CREATE INDEX by_place ON place USING gist (at);
CREATE INDEX by_words ON place USING gin (words); CREATE INDEX by_letters ON place USING gin (name gin_trgm_ops);
CREATE INDEX by_pages ON place USING brin (price); CREATE INDEX by_quarter ON place USING spgist (at);
CREATE INDEX of_dear ON place USING gin (tags) WHERE price > 100;
COMMENT ON INDEX by_pages IS 'gone with it';
"""


def test_no_index_of_a_converted_table_tells_neighbours_values(empty, postgres):
    """Those that cannot keep tenants apart are left out, and the plan says so."""
    postgres.execute(INDEXED, empty.source)
    plan = empty.target.plan(empty.source)
    left_out = {name for name in ("by_letters", "by_pages", "by_quarter", "of_dear")
                if any(one["message"].startswith(f"index {name} ") and "is left out" in one["message"] for one in plan["breaks"])}
    assert left_out == {"by_letters", "by_pages", "by_quarter", "of_dear"}
    empty.target.convert(empty.source)
    made = dict(empty.target.execute("SELECT indexname, regexp_replace(indexdef, '.* USING ', '') FROM pg_indexes WHERE tablename = 'place'"))
    assert made == {"place_pkey": "btree (tenant_id, id)", "by_price": "btree (tenant_id, price)", "by_hash": "btree (tenant_id, name)",
                    "by_place": "gist (tenant_id, at)", "by_words": "gin (words)"}
    assert [one["object"] for one in empty.target.lint() if one["rule"] == "index-leaks-values" and one["level"] == "error"] == []
    assert empty.target.plan(empty.source)["steps"] == []
