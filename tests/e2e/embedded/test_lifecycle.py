"""Starting, stopping and crashing an embedded stack: nothing is lost, nothing is left behind."""
import json
import os
import pathlib
import signal
import stat
import subprocess
import time

import psycopg
import pytest

from support.processes import can_connect
from support.up import ANY_PORTS, Up


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def recorded_processes(data_dir):
    """Process id by instance, from the provider's records."""
    found = {}
    for record in (data_dir / "fleet").glob("*.group"):
        for line in record.read_text().splitlines():
            words = line.split()
            if words[0] == "instance":
                found[f"{record.stem}-{words[1]}"] = int(words[4])
    return found


@pytest.fixture(autouse=True)
def leave_nothing(tmp_path):
    """A test that fails halfway must not leave engines behind."""
    yield
    for folder in tmp_path.iterdir():
        for pid in recorded_processes(folder).values() if folder.is_dir() else ():
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)


def wait_until(condition, what, patience=60):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def product_names(up, tenant):
    return {product["name"] for product in up.json("/api/products?limit=500", tenant=tenant)}


def test_stopping_ends_everything_and_the_data_stays(tmp_path):
    with Up(tmp_path / "data", tmp_path / "log") as up:
        up.json("/api/products", tenant="globex", method="POST", body={"sku": "X-1", "name": "Death ray", "price_cents": 1})
        before = product_names(up, "globex")
        assert "Death ray" in before
        processes = recorded_processes(up.data_dir)
        assert {"postgresql-1", "redis-1", "shop-1", "shop-2"} <= processes.keys()
        ports = [up.run[part]["port"] for part in ("http", "sql", "cache", "admin", "postgresql", "redis")]
        passwords = up.run["postgresql"]["password"], up.tenant("acme")["cache_secret"]
        assert up.stop() == 0, up.log()
    assert not [name for name, pid in processes.items() if is_running(pid)]
    assert not [port for port in ports if can_connect(port)]
    assert not (tmp_path / "data" / "run.json").exists()

    with Up(tmp_path / "data", tmp_path / "log") as again:
        assert product_names(again, "globex") == before, "the second start goes on with the data of the first"
        assert (again.run["postgresql"]["password"], again.tenant("acme")["cache_secret"]) == passwords


def test_after_a_crash_the_next_start_takes_over_and_leaves_nothing(tmp_path):
    with Up(tmp_path / "data", tmp_path / "log") as up:
        before = recorded_processes(up.data_dir)
        up.process.kill()
        up.process.wait()
        assert [name for name, pid in before.items() if is_running(pid)] == list(before), "they go on without us"
        with Up(tmp_path / "data", tmp_path / "log") as again:
            after = recorded_processes(again.data_dir)
            assert after["postgresql-1"] == before["postgresql-1"], "adopted, not started again"
            assert after["redis-1"] == before["redis-1"]
            assert product_names(again, "acme")
            assert again.stop() == 0
    assert not [pid for pid in {*before.values(), *after.values()} if is_running(pid)]


def test_one_stack_for_a_folder(binary, tmp_path):
    with Up(tmp_path / "data", tmp_path / "log") as up:
        second = subprocess.run([binary, "up", "--once", "--data-dir", tmp_path / "data", *ANY_PORTS],
                                capture_output=True, text=True, timeout=60)
        assert second.returncode == 1
        assert f"in use by process {up.pid}" in second.stderr
        assert product_names(up, "acme"), "the first one did not notice"


def test_engines_and_instances_that_die_come_back(tmp_path):
    with Up(tmp_path / "data", tmp_path / "log") as up:
        before = recorded_processes(up.data_dir)
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)

        def all_back():
            now = recorded_processes(up.data_dir)
            return now.keys() == before.keys() and all(now[name] != before[name] and is_running(now[name]) for name in now)

        wait_until(all_back, "all processes run again")
        wait_until(lambda: up.request("/api/products", tenant="globex")[0] == 200, "the shop answers again")


def test_secrets_are_private(tmp_path):
    with Up(tmp_path / "data", tmp_path / "log") as up:
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


def test_nobody_gets_into_the_engines_without_a_password(tmp_path):
    with Up(tmp_path / "data", tmp_path / "log") as up:
        place = {"host": "127.0.0.1", "port": up.run["postgresql"]["port"], "dbname": "shop"}
        for user, password in (("partywall", ""), ("partywall", "wrong"), ("postgres", "postgres"), ("acme", "")):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(**place, user=user, password=password)
        redis = subprocess.run(["redis-cli", "-p", str(up.run["redis"]["port"]), "PING"], capture_output=True, text=True)
        assert "NOAUTH" in redis.stdout


def test_a_port_that_is_taken_is_said(binary, tmp_path):
    with Up(tmp_path / "data", tmp_path / "log") as up:
        taken = str(up.run["admin"]["port"])
        ports = [taken if option == "0" and ANY_PORTS[i - 1] == "--admin-port" else option for i, option in enumerate(ANY_PORTS)]
        other = subprocess.run([binary, "up", "--once", "--data-dir", tmp_path / "other", *ports],
                               capture_output=True, text=True, timeout=120)
        assert other.returncode == 1
        assert taken in other.stderr
    assert not recorded_processes(tmp_path / "other"), "it stopped what it had started"


def test_tokens_from_the_command_line(binary, tmp_path):
    with Up(tmp_path / "data", tmp_path / "log") as up:
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


def test_the_platform_file_it_writes_is_valid(binary, tmp_path):
    with Up(tmp_path / "data", tmp_path / "log") as up:
        result = subprocess.run([binary, "check", "--format", "json", up.data_dir / "platform.yaml"],
                                capture_output=True, text=True, timeout=30)
        report = json.loads(result.stdout)
        assert report["valid"] and report["errors"] == 0
