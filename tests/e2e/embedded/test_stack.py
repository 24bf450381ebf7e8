"""What an embedded stack is, from outside, while it runs."""
import json
import pathlib
import stat
import subprocess

import psycopg
import pytest

from support.up import ANY_PORTS, product_names, recorded_processes, stack_folder


def test_one_stack_for_a_folder(binary, up):
    second = subprocess.run([binary, "up", "--once", "--data-dir", up.data_dir, *ANY_PORTS],
                            capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert f"in use by process {up.pid}" in second.stderr
    assert product_names(up, "globex"), "the first one did not notice"


def test_secrets_are_private(up):
    for path in [up.data_dir / "run.json", up.data_dir / "platform.yaml", *(up.data_dir / "secrets").iterdir(),
                 *(up.data_dir / "fleet").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    secrets = [up.run["postgresql"]["password"], up.run["application"]["password"], up.tenant("acme")["sql_password"]]
    for pid in (up.pid, *recorded_processes(up.data_dir).values()):
        command_line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        assert not [secret for secret in secrets if secret in command_line]
    log = up.log()
    shown = up.tenant("acme")["sql_password"]  # in the lines to paste, on standard output
    assert shown in log
    assert up.run["postgresql"]["password"] not in log and up.run["application"]["password"] not in log


def test_nobody_gets_into_the_engines_without_a_password(up):
    place = {"host": "127.0.0.1", "port": up.run["postgresql"]["port"], "dbname": "shop"}
    for user, password in (("partywall", ""), ("partywall", "wrong"), ("postgres", "postgres"), ("acme", "")):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(**place, user=user, password=password)
    redis = subprocess.run(["redis-cli", "-p", str(up.run["redis"]["port"]), "PING"], capture_output=True, text=True)
    assert "NOAUTH" in redis.stdout


def test_a_port_that_is_taken_is_said(binary, up):
    taken = str(up.run["admin"]["port"])
    ports = [taken if option == "0" and ANY_PORTS[i - 1] == "--admin-port" else option for i, option in enumerate(ANY_PORTS)]
    with stack_folder() as folder:
        other = subprocess.run([binary, "up", "--once", "--data-dir", folder / "other", *ports],
                               capture_output=True, text=True, timeout=120)
        assert other.returncode == 1
        assert taken in other.stderr
        assert not recorded_processes(folder / "other"), "it stopped what it had started"


def test_tokens_from_the_command_line(binary, up):
    def create(*options):
        command = [binary, "token", "create", "-f", up.data_dir / "platform.yaml", *options]
        result = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    token = create("--jwt", "--tenant", "globex", "--ttl", "5m")
    names = {product["name"] for product in up.json("/api/products?limit=500", token=token)}
    assert names == product_names(up, "globex")

    context = create("--tenant", "globex", "--audience", "sql")
    login = {"host": "127.0.0.1", "port": up.run["sql"]["port"], "dbname": "shop", "user": "app",
             "password": up.run["application"]["password"]}
    with psycopg.connect(**login, autocommit=True) as connection, connection.transaction():
        connection.execute(f"SET LOCAL app.current_tenant = '{context}'")
        assert {row[0] for row in connection.execute("SELECT name FROM products")} == names


def test_the_platform_file_it_writes_is_valid(binary, up):
    result = subprocess.run([binary, "check", "--format", "json", up.data_dir / "platform.yaml"],
                            capture_output=True, text=True, timeout=30)
    report = json.loads(result.stdout)
    assert report["valid"] and report["errors"] == 0
