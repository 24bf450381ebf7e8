"""The console: what operators of the node see and do with psql and drivers, and that no tenant gets there."""
import subprocess
import threading

import psycopg
import psycopg2
import psycopg2.extensions
import pytest
from sql_stack import PASSWORD, SqlStack, scram_verifier
from support.waiting import wait_until

OPERATORS = [{"user": user, "rights": rights, "verifier": scram_verifier(PASSWORD), "addresses": ["127.0.0.1/32"]}
             for user, rights in (("ops", "operate"), ("viewer", "look"))]


def with_operators(platform):
    platform["doors"] = {"sql": {"console": OPERATORS, "queue_timeout": "30s"}}


@pytest.fixture(scope="module")
def stack(postgres, binary):
    """Two workers: what the console shows is of both."""
    with SqlStack(postgres, binary, workers=2, slots=8, change=with_operators) as started:
        yield started


def console(stack, user="ops"):
    dsn = f"host={stack.host} port={stack.port} dbname=partywall user={user} password={PASSWORD}"
    return psycopg.connect(dsn, autocommit=True, connect_timeout=15)


def show(stack, view, user="ops"):
    with console(stack, user) as connection:
        cursor = connection.execute(f"SHOW {view}")
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor]


def psql(stack, *commands, user="ops"):
    dsn = f"host={stack.host} port={stack.port} dbname=partywall user={user} password={PASSWORD}"
    arguments = [part for command in commands for part in ("-c", command)]
    return subprocess.run(["psql", "-XAt", "-v", "ON_ERROR_STOP=1", dsn, *arguments], text=True, capture_output=True, timeout=60)


def test_psql_shows_everything(stack):
    with stack.connect("acme") as client:
        client.execute("SELECT 1")
        for view in ("HELP", "VERSION", "TENANTS", "POOLS", "CLIENTS", "SERVERS", "STATS", "PREPARED"):
            shown = psql(stack, f"SHOW {view}")
            assert shown.returncode == 0, shown.stderr
            assert shown.stdout.strip() or view == "PREPARED", view
    wrong = psql(stack, "SHOW POOL")
    assert wrong.returncode != 0 and "did you mean 'pools'" in wrong.stderr


def test_clients_and_tenants_are_those_who_are_there(stack):
    with stack.connect("acme", application_name="billing") as client, stack.connect("app") as application:
        client.execute("BEGIN")
        client.execute("SELECT count(*) FROM notes")
        application.execute("BEGIN")
        application.execute(f"SET LOCAL app.current_tenant = '{stack.context('globex')}'")
        application.execute("SELECT count(*) FROM notes")
        wait_until(lambda: {(one["user"], one["tenant"], one["state"]) for one in show(stack, "CLIENTS")} >= {
            ("acme", "acme", "idle in transaction"), ("app", "globex", "idle in transaction"), ("ops", None, "console")})
        [acme] = [one for one in show(stack, "CLIENTS") if one["user"] == "acme"]
        assert (acme["application_name"], acme["cell"], acme["pinned"]) == ("billing", "main", False)
        assert acme["server_pid"] in [one["pid"] for one in show(stack, "SERVERS") if one["tenant"] == "acme"]
        tenants = {one["tenant"]: one for one in show(stack, "TENANTS")}
        assert [(tenants[slug]["clients"], tenants[slug]["servers"]) for slug in ("acme", "globex", "initech")] == [
            (1, 1), (1, 1), (0, 0)]
        application.execute("COMMIT")
        wait_until(lambda: ("app", None) in {(one["user"], one["tenant"]) for one in show(stack, "CLIENTS")})
    wait_until(lambda: {one["user"] for one in show(stack, "CLIENTS")} == {"ops"})


def test_stats_and_prepared_statements(stack):
    before = {one["tenant"]: one["statements"] for one in show(stack, "STATS")}
    with stack.connect("globex") as client:
        for _ in range(7):
            client.execute("SELECT 'seven'", prepare=True)
        wait_until(lambda: "SELECT 'seven'" in [one["query"] for one in show(stack, "PREPARED")])
        wait_until(lambda: {one["tenant"]: one["statements"] for one in show(stack, "STATS")}["globex"] >= before["globex"] + 7)


def test_psycopg2_which_begins_transactions_by_itself(stack):
    dsn = f"host={stack.host} port={stack.port} dbname=partywall user=viewer password={PASSWORD}"
    connection = psycopg2.connect(dsn)
    with connection.cursor() as cursor:
        cursor.execute("SHOW VERSION")
        assert cursor.fetchone()[0].startswith("partywall ")
    connection.commit()
    connection.close()


def test_pause_waits_for_transactions_and_holds_the_others_until_resume(stack):
    with stack.connect("acme") as busy, stack.connect("globex") as waiting:
        busy.execute("BEGIN")
        busy.execute("INSERT INTO notes (body) VALUES ('before the pause')")
        paused = threading.Thread(target=lambda: psql(stack, "PAUSE"))
        paused.start()
        wait_until(lambda: all(one["paused"] for one in show(stack, "POOLS")))
        assert paused.is_alive(), "a transaction is open"
        answers = []
        late = threading.Thread(target=lambda: answers.append(waiting.execute("SELECT 42").fetchone()[0]))
        late.start()
        wait_until(lambda: {one["tenant"]: one["waiting"] for one in show(stack, "TENANTS")}["globex"] == 1)
        busy.execute("COMMIT")
        paused.join(60)
        assert show(stack, "SERVERS") == []
        assert not answers, "nobody is served while it is paused"
        assert psql(stack, "RESUME main").returncode == 0
        late.join(60)
        assert answers == [42]
        assert busy.execute("SELECT count(*) FROM notes WHERE body = 'before the pause'").fetchone()[0] == 1


def test_a_pause_that_is_cancelled_pauses_nothing(stack):
    with stack.connect("acme") as busy, console(stack) as operator:
        busy.execute("BEGIN")
        busy.execute("SELECT 1")
        errors = []

        def pause():
            try:
                operator.execute("PAUSE main")
            except psycopg.Error as error:
                errors.append(error.sqlstate)

        thread = threading.Thread(target=pause)
        thread.start()
        wait_until(lambda: all(one["paused"] for one in show(stack, "POOLS")))
        operator.cancel()
        thread.join(60)
        assert errors == ["57014"]
        assert not any(one["paused"] for one in show(stack, "POOLS"))
        busy.execute("COMMIT")


def test_an_operator_who_goes_away_leaves_nothing_paused(stack):
    with stack.connect("acme") as busy:
        busy.execute("BEGIN")
        busy.execute("SELECT 1")
        dsn = f"host={stack.host} port={stack.port} dbname=partywall user=ops password={PASSWORD}"
        leaving = subprocess.Popen(["psql", "-X", dsn, "-c", "PAUSE"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: all(one["paused"] for one in show(stack, "POOLS")))
        leaving.kill()
        leaving.wait()
        wait_until(lambda: not any(one["paused"] for one in show(stack, "POOLS")))
        busy.execute("COMMIT")


def test_reconnect_replaces_the_servers_without_any_error(stack):
    with stack.connect("acme") as client:
        client.execute("BEGIN")
        before = client.execute("SELECT pg_backend_pid()").fetchone()[0]
        assert psql(stack, "RECONNECT").returncode == 0
        assert client.execute("SELECT pg_backend_pid()").fetchone()[0] == before, "the transaction keeps its connection"
        client.execute("COMMIT")
        assert client.execute("SELECT pg_backend_pid()").fetchone()[0] != before


def test_killing_a_tenant_ends_its_clients_and_nobody_elses(stack):
    with stack.connect("globex") as neighbour, stack.connect("acme") as first, stack.connect("acme") as second:
        first.execute("BEGIN")
        first.execute("SELECT 1")
        asleep = threading.Thread(target=lambda: pytest.raises(psycopg.OperationalError, second.execute, "SELECT pg_sleep(600)"))
        asleep.start()
        wait_until(lambda: "active" in [one["state"] for one in show(stack, "CLIENTS") if one["tenant"] == "acme"])
        assert psql(stack, "KILL TENANT acme").returncode == 0
        asleep.join(60)
        assert not asleep.is_alive()
        with pytest.raises(psycopg.OperationalError) as ended:
            first.execute("SELECT 1")
        assert ended.value.sqlstate in ("57P01", None)
        assert neighbour.execute("SELECT 1").fetchone() == (1,)
    with stack.connect("acme") as again:
        assert again.execute("SELECT 1").fetchone() == (1,)


def test_killing_one_client(stack):
    with stack.connect("globex") as victim, stack.connect("globex") as neighbour:
        victim.execute("SELECT 1")
        victims_id = victim.info.backend_pid
        assert psql(stack, f"KILL CLIENT {victims_id}").returncode == 0
        with pytest.raises(psycopg.OperationalError):
            victim.execute("SELECT 1")
        assert neighbour.execute("SELECT 1").fetchone() == (1,)
        unknown = psql(stack, "KILL CLIENT 99")
        assert unknown.returncode != 0 and "there is no client 99" in unknown.stderr


def test_reload_reads_the_platform_file_again(stack):
    def tier():
        return {one["tenant"]: one["tier"] for one in show(stack, "TENANTS")}["initech"]

    assert tier() == "pro"
    [initech] = [one for one in stack.platform["tenants"] if one["slug"] == "initech"]
    initech["tier"] = "free"
    stack.write_platform()
    assert psql(stack, "RELOAD").returncode == 0
    wait_until(lambda: tier() == "free")
    assert "a command at the console of the sql door" in stack.log(), "what operators do is logged"


@pytest.mark.parametrize("command", ["PAUSE", "RESUME", "RECONNECT", "KILL TENANT globex", "KILL CLIENT 1", "RELOAD"])
def test_who_may_look_may_not_operate(stack, command):
    assert show(stack, "VERSION", user="viewer")
    refused = psql(stack, command, user="viewer")
    assert refused.returncode != 0 and "may look" in refused.stderr


@pytest.mark.parametrize("user", ["acme", "app", "migration"])
def test_no_login_of_a_tenant_or_an_application_is_an_operators(stack, user):
    """For them `partywall` is the name of a database, and the console's commands are PostgreSQL's business."""
    dsn = f"host={stack.host} port={stack.port} dbname=partywall user={user} password={PASSWORD}"
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=15) as connection:
            with pytest.raises(psycopg.Error) as refused:
                connection.execute("SHOW CLIENTS")
            assert refused.value.sqlstate in ("42704", "28000")
    except psycopg.OperationalError:
        pass  # no such database for this login


def test_operators_reach_no_database(stack):
    for database in (stack.database, "postgres", "template1"):
        dsn = f"host={stack.host} port={stack.port} dbname={database} user=ops password={PASSWORD}"
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(dsn, connect_timeout=15)
