"""What an embedded stack is, from outside, while it runs."""
import json
import pathlib
import stat
import subprocess

import psycopg
import pytest

from support.up import ANY_PORTS, product_names, recorded_processes, stack_folder
from support.waiting import wait_until


def test_one_stack_for_a_folder(binary, up):
    second = subprocess.run([binary, "up", "--once", "--data-dir", up.data_dir, *ANY_PORTS],
                            capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert f"in use by process {up.pid}" in second.stderr
    assert product_names(up, "globex"), "the first one did not notice"


def test_secrets_are_private(up):
    for path in [up.data_dir / "run.json", up.data_dir / "platform.yaml", *(up.data_dir / "secrets").iterdir(),
                 *(up.data_dir / "fleet").iterdir(), up.data_dir / "access.log"]:
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


def test_what_a_script_can_take_of_the_machine_is_bounded(up):
    """`maxmemory` does not count what scripts build: nothing but the limit of the process does."""
    redis = next(pid for instance, pid in recorded_processes(up.data_dir).items() if "redis" in instance)
    limits = pathlib.Path(f"/proc/{redis}/limits").read_text()
    assert next(line.split()[3] for line in limits.splitlines() if line.startswith("Max address space")) == str(2 << 30)


def test_the_lines_to_paste_do_what_they_say(up):
    """A shell runs what `partywall up` prints: each tenant sees its own shop, by HTTP, SQL and Redis."""
    def run(command):
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout
    printed = [line.strip() for line in up.log().splitlines()]
    curls = [line for line in printed if line.startswith("curl ")]
    psqls = [line for line in printed if " psql " in line and line.startswith("PGPASSWORD=")]
    clis = [line for line in printed if " redis-cli " in line and line.startswith("REDISCLI_AUTH=")]
    assert len(curls) == len(psqls) == len(clis) == 2
    shops = [{product["name"] for product in json.loads(run(curl.replace("curl ", "curl -sS --fail ", 1)))} for curl in curls]
    assert shops == [set(run(f"{psql} -XAtc 'SELECT name FROM products ORDER BY name LIMIT 50'").splitlines())
                     for psql in psqls]
    assert shops[0] and shops[1] and not shops[0] & shops[1]
    assert run(clis[0] + " SET pasted of-the-first") == "OK\n"
    assert run(clis[0] + " GET pasted") == "of-the-first\n" and run(clis[1] + " GET pasted") == "\n"
    assert run(clis[0] + " DEL pasted") == "1\n"


def test_the_access_log_holds_no_secret(up):
    """What clients send is written down, but never what somebody could log in with."""
    token = up.tenant("globex")["token"]
    status, _, _ = up.request(f"/api/products?limit=1&access_token={token}", tenant="globex",
                              headers={"User-Agent": 'of "the" test\t{'})
    assert status == 200
    log = up.data_dir / "access.log"
    def written():
        whole = log.read_text().rpartition("\n")[0]  # the last line may not be all there
        return [line for line in map(json.loads, whole.splitlines()) if "the" in line.get("user_agent", "")]
    line = wait_until(written, "the line of the request")[-1]
    assert line["path"] == "/api/products" and line["tenant"] == "globex" and line["status"] == 200
    assert line["user_agent"].startswith('of "the" test') and line["method"] == "GET" and line["duration_ms"] >= 0
    text = log.read_text()
    secrets = [value for tenant in up.run["tenants"].values() for name, value in tenant.items()
               if name in ("token", "sql_password", "cache_secret")]
    assert len(secrets) == 6 and not [secret for secret in secrets if secret in text]
    assert token.rsplit(".", 1)[1] not in text


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
