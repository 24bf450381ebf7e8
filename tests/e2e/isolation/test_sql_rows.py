"""acme, logged in as itself, tries to see or change globex's rows with SQL of any kind."""
import pytest

from support.raw_postgres import SYNC, bind, describe, execute, function_call, parse

READ = "SELECT title FROM notes ORDER BY title"
SET = "SET app.current_tenant = '{globex}'"


def extended(sql, *values):
    return parse(sql) + bind(*values) + describe("P") + execute() + SYNC


def set_config_by_bind(connection):
    """Name, value and scope only come with Bind."""
    identity = connection.query("SELECT 1") and GLOBEX
    connection.send(extended("SELECT set_config($1, $2, $3::text::bool)", "app.current_tenant", identity, "false"))
    connection.read_answer()


GLOBEX = "22222222-2222-4222-8222-222222222222"  # the id that `partywall up` gives it

# name: (script, where the same succeeds: "naive" (policy on a setting), "open" (no policy) or None, what it does there)
ATTACKS = {
    # --- the setting that applications use
    "SET": ([SET, READ], "naive", "reads"),
    "SET SESSION TO": (["SET SESSION app.current_tenant TO '{globex}'", READ], "naive", "reads"),
    "SET LOCAL": (["BEGIN", "SET LOCAL app.current_tenant = '{globex}'", READ, "COMMIT"], "naive", "reads"),
    "SET LOCAL, one query": (["BEGIN; SET LOCAL app.current_tenant = '{globex}'; " + READ + "; COMMIT"], "naive", "reads"),
    "SET after another statement": (["SELECT 1; " + SET + "; " + READ], "naive", "reads"),
    "SET in odd case": (["sEt ApP.cUrReNt_TeNaNt = '{globex}'", READ], "naive", "reads"),
    "SET between comments": (["/* /* */ */ SET --\n app . current_tenant /**/ = /**/ '{globex}'", READ], "naive", "reads"),
    "SET of a quoted name": (['SET "app"."current_tenant" = \'{globex}\'', READ], "naive", "reads"),
    "SET to an E string": (["SET app.current_tenant = E'\\x32" + GLOBEX[1:] + "'", READ], "naive", "reads"),
    "SET to a U& string": (["SET app.current_tenant = U&'\\0032" + GLOBEX[1:] + "'", READ], "naive", "reads"),
    "SET of a U& name": (["SET app.U&\"current\\005Ftenant\" = '{globex}'", READ], "naive", "reads"),
    "SET to a dollar string": (["SET app.current_tenant = $x${globex}$x$", READ], "naive", "reads"),
    "SET to a joined string": (["SET app.current_tenant = '22222222-2222-4222-'\n'8222-222222222222'", READ], "naive", "reads"),
    "SET by Parse": ([extended("SET app.current_tenant = '22222222-2222-4222-8222-222222222222'"), READ], "naive", "reads"),
    "set_config": (["SELECT set_config('app.current_tenant', '{globex}', false)", READ], "naive", "reads"),
    "set_config qualified": (["SELECT pg_catalog.set_config('APP.current_tenant', '{globex}', false)", READ], "naive", "reads"),
    "set_config local": (["BEGIN", "SELECT set_config('app.current_tenant', '{globex}', true)", READ], "naive", "reads"),
    "set_config by Bind": ([set_config_by_bind, READ], "naive", "reads"),
    "set_config in a FROM": (["SELECT * FROM set_config('app.current_tenant', '{globex}', false)", READ], "naive", "reads"),
    "set_config in a CTE": (["WITH s AS MATERIALIZED (SELECT set_config('app.current_tenant', '{globex}', false)) SELECT * FROM s",
                             READ], "naive", "reads"),
    "set_config before the rows": (["SELECT n.title FROM (SELECT set_config('app.current_tenant', '{globex}', false) OFFSET 0) AS s, "
                                    "LATERAL (SELECT title FROM notes OFFSET 0) AS n", READ], "naive", "reads"),
    "set_config named in parts": (["SELECT set_config('app.' || 'current_tenant', '{globex}', false)", READ], "naive", "reads"),
    "DO": (["DO $$BEGIN PERFORM set_config('app.current_tenant', '{globex}', false); END$$", READ], "naive", "reads"),
    "DO EXECUTE": (["DO $$BEGIN EXECUTE 'SET app.current_tenant = ''{globex}'''; END$$", READ], "naive", "reads"),
    "PREPARE": (["PREPARE p AS SELECT set_config('app.current_tenant', $1, false)", "EXECUTE p('{globex}')", READ], "naive", "reads"),
    "RESET ALL": (["RESET ALL", SET, READ], "naive", "reads"),
    "RESET": (["RESET app.current_tenant", READ, SET, READ], "naive", "reads"),
    "SET TO DEFAULT": (["SET app.current_tenant TO DEFAULT", READ, SET, READ], "naive", "reads"),
    "DISCARD ALL": (["DISCARD ALL", READ, SET, READ], "naive", "reads"),
    "DISCARD SEQUENCES": (["DISCARD SEQUENCES", READ, READ], None, None),
    "DISCARD SEQUENCES in DO": (["DO $$BEGIN EXECUTE 'DISCARD SEQUENCES'; END$$", READ, READ], None, None),
    "DISCARD SEQUENCES in a transaction": (["BEGIN", "DISCARD SEQUENCES", READ, "COMMIT", READ], None, None),
    "ROLLBACK": (["BEGIN", "ROLLBACK", "BEGIN", SET, READ, "ROLLBACK"], "naive", "reads"),
    "failed transaction": (["BEGIN", "SELECT 1/0", SET, "ROLLBACK", SET, READ], "naive", "reads"),
    "ROLLBACK TO": (["BEGIN", "SAVEPOINT a", SET, READ, "ROLLBACK TO a", READ, "COMMIT"], "naive", "reads"),
    "RELEASE": (["BEGIN", "SAVEPOINT a", SET, "RELEASE a", READ, "COMMIT", READ], "naive", "reads"),
    "COMMIT AND CHAIN": (["BEGIN", "COMMIT AND CHAIN", SET, READ, "COMMIT AND CHAIN", READ], "naive", "reads"),
    "SET for a function": (["CREATE FUNCTION pg_temp.f() RETURNS SETOF text LANGUAGE sql SET app.current_tenant = '{globex}' "
                            "AS 'SELECT title FROM notes'", "SELECT pg_temp.f()"], None, None),
    "NUL in a query": ([SET.replace("{globex}", GLOBEX + "\0") + "\0", READ], None, None),
    # --- the role
    "SET ROLE to the owner": (["SET ROLE shop_owner", READ, "SET ROLE partywall", READ], None, None),
    "SET ROLE to the register's owner": (["SET ROLE partywall_register", "SELECT * FROM partywall.register_key", READ], None, None),
    "SET ROLE to a neighbour's": (["SET ROLE lab_slot_001", "SET ROLE lab_slot_002", "SET ROLE lab_slot_003", READ], None, None),
    "SET SESSION AUTHORIZATION": (["SET SESSION AUTHORIZATION partywall", READ, "RESET SESSION AUTHORIZATION", READ], "open", "reads"),
    "RESET ROLE": (["RESET ROLE", READ, "SET ROLE NONE", READ], "open", "reads"),
    "role by set_config": (["SELECT set_config('role', 'partywall', false)", READ], "open", "reads"),
    "GRANT of the own role": (["DO $$BEGIN EXECUTE format('GRANT %I TO lab_slot_001, lab_slot_002', current_user); END$$",
                               "DO $$BEGIN EXECUTE format('GRANT lab_slot_001 TO %I', current_user); END$$",
                               "GRANT pg_read_all_data TO CURRENT_USER", "GRANT pg_signal_backend TO CURRENT_USER", READ], "open", "reads"),
    # --- the policies
    "row_security off": (["SET row_security = off", READ, "COPY notes TO STDOUT"], "open", "reads"),
    "row_security off in a function": (["SELECT set_config('row_security', 'off', false)", READ, "SELECT all_titles()"], "open", "reads"),
    "no policies any more": (["ALTER TABLE notes DISABLE ROW LEVEL SECURITY", "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY",
                              "DROP POLICY partywall_tenant ON notes", "CREATE POLICY x ON notes USING (true)", READ], "open", "reads"),
    "another owner": (["ALTER TABLE notes OWNER TO CURRENT_USER", "REASSIGN OWNED BY shop_owner TO CURRENT_USER", READ], "open", "reads"),
    "replication role": (["SET session_replication_role = replica", READ], "open", "reads"),
    # --- rows of the neighbour by plain SQL
    "SELECT by tenant_id": (["SELECT * FROM notes WHERE tenant_id = '{globex}'", "TABLE notes", "SELECT * FROM ONLY public.notes"],
                            "open", "reads"),
    "joins": (["SELECT c.body, n.title FROM comments c LEFT JOIN notes n ON n.id = c.note_id AND n.tenant_id <> c.tenant_id"],
              "open", "reads"),
    "views and functions": (["SELECT * FROM titles", "SELECT all_titles()", "SELECT total()"], "open", "reads"),
    "COPY TO": (["COPY notes TO STDOUT", "COPY (SELECT * FROM notes) TO STDOUT WITH (FORMAT binary)"], "open", "reads"),
    "FOR UPDATE": (["BEGIN", "SELECT * FROM notes FOR UPDATE", "COMMIT"], "open", "reads"),
    "errors that quote values": (["SELECT title::int FROM notes WHERE tenant_id = '{globex}'",
                                  "SELECT count(*) FROM notes WHERE title::int = 0 AND tenant_id = '{globex}'"], "open", "reads"),
    "EXPLAIN": (["EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM notes WHERE title > 'A'", "EXPLAIN SELECT * FROM notes WHERE title = 'x'"],
                None, None),
    "statistics": (["SELECT * FROM pg_stats WHERE tablename = 'notes'", "SELECT * FROM pg_statistic", "SELECT * FROM pg_stats_ext",
                    "SELECT * FROM pg_statistic_ext_data"], "open", "reads"),
    "pages": (["SELECT * FROM notes WHERE ctid = '(0,4)'", "SELECT ctid, xmin, * FROM notes", "SELECT * FROM notes TABLESAMPLE SYSTEM (100)"],
              "open", "reads"),
    "UPDATE": (["UPDATE notes SET title = title || '!', amount = 0 WHERE tenant_id = '{globex}'"], "open", "changes"),
    "UPDATE RETURNING": (["UPDATE notes SET amount = 0 RETURNING title"], "open", "reads"),
    "UPDATE into the neighbour": (["UPDATE comments SET tenant_id = '{globex}', id = id + 100 WHERE tenant_id = '{acme}'"], "open", "changes"),
    "UPDATE FROM": (["UPDATE notes n SET title = g.title FROM notes g WHERE g.tenant_id = '{globex}' AND n.id = g.id RETURNING n.title"],
                    "open", "reads"),
    "INSERT": (["INSERT INTO notes (tenant_id, id, title) VALUES ('{globex}', 100, 'planted')"], "open", "changes"),
    "INSERT SELECT": (["INSERT INTO notes SELECT '{globex}', 100 + id, title, amount FROM notes WHERE tenant_id = '{acme}'"], "open", "changes"),
    "upsert": (["INSERT INTO notes (tenant_id, id, title) VALUES ('{globex}', 1, 'x') ON CONFLICT (tenant_id, id) "
                "DO UPDATE SET title = notes.title || '!' RETURNING title"], "open", "reads"),
    "upsert that does nothing": (["INSERT INTO notes (tenant_id, id, title) VALUES ('{globex}', 1, 'x') ON CONFLICT DO NOTHING RETURNING *",
                                  "INSERT INTO notes (tenant_id, id, title) VALUES ('{globex}', 1, 'x')"], None, None),
    "MERGE": (["MERGE INTO notes n USING (VALUES (1)) AS v(id) ON n.id = v.id AND n.tenant_id = '{globex}' "
               "WHEN MATCHED THEN UPDATE SET title = 'merged' WHEN NOT MATCHED THEN INSERT (tenant_id, id, title) VALUES ('{globex}', 101, 'x')"],
              "open", "changes"),
    "DELETE": (["DELETE FROM notes WHERE tenant_id = '{globex}'"], "open", "changes"),
    "DELETE RETURNING": (["DELETE FROM comments RETURNING body"], "open", "reads"),
    "DELETE USING": (["DELETE FROM comments c USING notes n WHERE n.title LIKE 'G%'"], "open", "changes"),
    "cascade": (["DELETE FROM notes WHERE id = 1"], "open", "changes"),
    "TRUNCATE": (["TRUNCATE notes CASCADE", "TRUNCATE comments"], "open", "changes"),
    "DROP": (["DROP TABLE comments", "DROP SCHEMA public CASCADE", "DROP OWNED BY CURRENT_USER"], None, None),
    "COPY FROM": ([lambda c: copy_in(c, "COPY notes (tenant_id, id, title) FROM STDIN", f"{GLOBEX}\t100\tplanted\n")], "open", "changes"),
    "foreign key to the neighbour": (["INSERT INTO comments (tenant_id, note_id, body) VALUES ('{globex}', 1, 'x')",
                                      "INSERT INTO notes (id, title) VALUES (50, 'x')",
                                      "UPDATE comments SET note_id = 2"], "open", "changes"),
    "trigger, rule, index": (["CREATE FUNCTION pg_temp.t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                              "CREATE TRIGGER t BEFORE UPDATE ON notes EXECUTE FUNCTION pg_temp.t()",
                              "CREATE RULE r AS ON SELECT TO countries DO INSTEAD SELECT tenant_id::text, title FROM notes",
                              "CREATE INDEX ON notes (title)", "CREATE STATISTICS s ON title, amount FROM notes"], None, None),
    # --- the server
    "files and programs": (["SELECT pg_read_file('PG_VERSION')", "COPY notes TO '/tmp/x'", "COPY notes TO PROGRAM 'cat'",
                            "COPY countries FROM PROGRAM 'id'", "SELECT lo_import('/etc/passwd')", "SELECT pg_ls_dir('.')",
                            "LOAD 'plpgsql'", "CREATE EXTENSION dblink", "CREATE LANGUAGE plperlu"], None, None),
    "catalogs of secrets": (["SELECT * FROM pg_authid", "SELECT * FROM pg_shadow", "SELECT * FROM partywall.register_key",
                             "SELECT * FROM pg_hba_file_rules", "SELECT * FROM pg_file_settings", "SELECT * FROM pg_user_mapping"], None, None),
    "settings of all": (["ALTER SYSTEM SET work_mem = '1MB'", "ALTER DATABASE partywall_lab SET app.current_tenant = '{globex}'",
                         "ALTER ROLE ALL SET app.current_tenant = '{globex}'", READ], None, None),
    "replication": (["SELECT pg_create_logical_replication_slot('s', 'test_decoding')", "CREATE PUBLICATION p FOR ALL TABLES",
                     "SELECT pg_logical_emit_message(false, 'x', 'y')", "SELECT pg_export_snapshot()"], None, None),
}


def copy_in(connection, statement, data):
    from support.raw_postgres import message, query
    connection.send(query(statement))
    received = b""
    while (one := connection.read_message()).kind != "Z":
        received += one.kind.encode() + one.body
        if one.kind == "G":
            connection.send(message("d", data.encode()) + message("c"))
    return received


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_of_the_neighbour_is_read_or_changed(sql_walls, name):
    sql_walls.attack(ATTACKS[name][0])


@pytest.mark.parametrize("name", [name for name, (_, where, _) in ATTACKS.items() if where])
def test_the_same_harms_without_the_wall(naive, name):
    """The control: these attacks are real, and the oracle notices them."""
    script, where, harm = ATTACKS[name]
    assert naive.harm_of(where, script) == harm


@pytest.mark.parametrize("name", [name for name, (_, where, _) in ATTACKS.items() if where == "naive"])
def test_the_same_by_injection_into_an_application(sql_walls, name):
    """In a transaction whose tenant the application has set to acme, by its context."""
    context = sql_walls.node.context("acme", "sql") if not hasattr(sql_walls.node, "acme_context") else sql_walls.node.acme_context
    sql_walls.node.acme_context = context
    begin = ["BEGIN", f"SET LOCAL app.current_tenant = '{context}'"]
    sql_walls.attack([*begin, READ, *ATTACKS[name][0], "ROLLBACK"], login="application")
    session = [f"SET app.current_tenant = '{context}'"]
    sql_walls.attack([*session, READ, *ATTACKS[name][0], "ROLLBACK"], login="application")


def test_function_call_messages(sql_walls):
    """The fast path of the protocol reaches functions without SQL."""
    def call(signature, *arguments):
        def step(connection):
            (found,) = connection.query(f"SELECT '{signature}'::regprocedure::oid").rows
            connection.send(function_call(int(found[0]), *arguments))
            answer = connection.read_answer()
            return b"".join(one.body for one in answer.messages)
        return step
    script = [call("set_config(text,text,boolean)", b"app.current_tenant", GLOBEX.encode(), b"\1"), READ,
              call("setval(regclass,bigint)", b"\0\0\0\1", b"\0\0\0\0\0\0\0\1"), READ,
              call("partywall.enter(bytea)", b"\0" * 64), READ]
    sql_walls.attack(script)


def test_start_up_options(sql_walls, naive):
    """What a client may say before it logs in."""
    node = sql_walls.node
    for parameters in ({"options": f"-c app.current_tenant={GLOBEX}"}, {"app.current_tenant": GLOBEX},
                       {"options": "-c role=partywall"}, {"role": "partywall"}, {"session_authorization": "partywall"},
                       {"options": "-c row_security=off"}, {"options": "-c search_path=pg_temp,public"},
                       {"replication": "database"}, {"options": "-c session_preload_libraries=x"}, {"is_superuser": "on"}):
        try:
            connection = node.raw_sql("acme", **parameters)
        except Exception as refused:  # noqa: BLE001: refused is as good
            assert "GLOBEX-SECRET" not in str(refused)
            continue
        with connection:
            rows = connection.query(READ).rows
            assert rows in ([], [["acme-1"], ["acme-2"], ["acme-3"]]), parameters
    sql_walls.check_doors()


def test_walls_see_the_neighbour(sql_walls):
    """The oracle itself: as globex the same reading finds the secret, and a change is noticed."""
    with pytest.raises(AssertionError, match="acme received"):
        sql_walls.attack([READ], login="globex")
    with pytest.raises(AssertionError, match="changed"):
        sql_walls.attack(["UPDATE notes SET amount = 11"], login="globex")
