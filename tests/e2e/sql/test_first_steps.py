"""What a newcomer tries first."""
import psycopg
import pytest


def test_psql_sees_the_rows_of_its_tenant(stack):
    assert stack.psql("-c", "SELECT body FROM notes").stdout.strip() == "of acme"
    assert stack.psql("-c", "SELECT body FROM notes", user="globex").stdout.strip() == "of globex"


def test_psycopg_sees_the_rows_of_its_tenant(stack):
    for tenant in ("acme", "globex"):
        with stack.connect(tenant) as connection:
            assert connection.execute("SELECT body FROM notes").fetchall() == [(f"of {tenant}",)]
            assert connection.execute("SELECT body FROM notes WHERE id > %s", [0]).fetchall() == [(f"of {tenant}",)]


def test_an_application_carries_the_context(stack):
    with stack.connect("app", autocommit=False) as connection:
        for tenant in ("acme", "globex", "acme"):
            connection.execute("SELECT set_config('app.current_tenant', %s, true)", [stack.context(tenant)])
            assert connection.execute("SELECT body FROM notes").fetchall() == [(f"of {tenant}",)]
            connection.commit()


def test_a_wrong_password_is_refused_like_an_unknown_user(stack):
    messages = []
    for user in ("acme", "nobody"):
        with pytest.raises(psycopg.OperationalError) as refused:
            stack.connect(user, password="wrong")
        messages.append(str(refused.value).replace(user, "USER"))
    assert messages[0] == messages[1]
    assert "authentication failed" in messages[0]
