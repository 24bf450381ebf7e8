"""What a client names when it connects: wrong values are refused as PostgreSQL refuses them, and cost nobody anything."""
import psycopg
import pytest

WRONG = [("TimeZone", "No/Such"), ("DateStyle", "sideways"), ("IntervalStyle", "roman"), ("extra_float_digits", "99"),
         ("statement_timeout", "soon"), ("default_transaction_isolation", "none")]


def refusal(connect):
    """The message of the first error, at the login or at the first statement."""
    with pytest.raises(psycopg.Error) as refused:
        with connect() as connection:
            connection.execute("SELECT 1")
    lines = str(refused.value).replace("FATAL:  ", "").splitlines()
    return next(line.rpartition("failed: ")[2].strip() for line in lines if "invalid" in line or "outside" in line)


@pytest.mark.parametrize("name, value", WRONG)
def test_a_wrong_value_is_refused_as_postgresql_does_and_no_server_connection_is_lost(stack, postgres, name, value):
    with stack.connect() as connection:
        connection.execute("SELECT 1")
    before = stack.metric("partywall_sql_server_connects_total", cell="main")
    named = f"-c {name}={value}"
    direct = refusal(lambda: postgres.connect(options=named))
    for _ in range(3):
        assert refusal(lambda: stack.connect(options=named)) == direct
    with stack.connect() as connection:
        assert connection.execute("SHOW TimeZone").fetchone() == postgres.execute("SHOW TimeZone")[0]
    assert stack.metric("partywall_sql_server_connects_total", cell="main") == before


def test_nothing_runs_with_other_settings_than_those_named(stack):
    with pytest.raises(psycopg.OperationalError):
        with stack.connect(options="-c TimeZone=No/Such") as connection:
            connection.execute("INSERT INTO notes (body) VALUES ('with a wrong zone')")
    with stack.connect() as connection:
        assert connection.execute("SELECT count(*) FROM notes WHERE body = 'with a wrong zone'").fetchone() == (0,)


def test_right_values_count_from_the_first_statement_on(stack):
    with stack.connect(options="-c TimeZone=Asia/Tokyo -c DateStyle=German") as connection:
        assert connection.execute("SELECT current_setting('TimeZone'), '2026-11-27'::date::text").fetchone() == \
            ("Asia/Tokyo", "27.11.2026")
