"""Starting, stopping and crashing an embedded stack: nothing is lost, nothing is left behind."""
import os
import pathlib
import signal
import time

import pytest

from support.processes import can_connect
from support.up import Up, is_running, product_names, recorded_processes, stack_folder


@pytest.fixture
def folder():
    with stack_folder() as path:
        yield path


def wait_until(condition, what, patience=60):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def test_stopping_ends_everything_and_the_data_stays(folder):
    with Up(folder / "data", folder / "log") as up:
        up.json("/api/products", tenant="globex", method="POST", body={"sku": "X-1", "name": "Death ray", "price_cents": 1})
        before = product_names(up, "globex")
        assert "Death ray" in before
        processes = recorded_processes(up.data_dir)
        assert {"postgresql-1", "redis-1", "shop-1", "shop-2"} <= processes.keys()
        owners = {name: pathlib.Path(f"/proc/{pid}").stat().st_uid for name, pid in processes.items()}
        assert 0 not in owners.values(), "nothing runs as root, whoever started it"
        if os.geteuid() == 0:
            assert owners["shop-1"] != owners["postgresql-1"], "the application cannot read the engines' files"
        ports = [up.run[part]["port"] for part in ("http", "sql", "cache", "admin", "postgresql", "redis")]
        passwords = up.run["postgresql"]["password"], up.tenant("acme")["cache_secret"]
        assert up.stop() == 0, up.log()
    assert not [name for name, pid in processes.items() if is_running(pid)]
    assert not [port for port in ports if can_connect(port)]
    assert not (folder / "data" / "run.json").exists()

    with Up(folder / "data", folder / "log") as again:
        assert product_names(again, "globex") == before, "the second start goes on with the data of the first"
        assert (again.run["postgresql"]["password"], again.tenant("acme")["cache_secret"]) == passwords


def test_after_a_crash_the_next_start_takes_over_and_leaves_nothing(folder):
    with Up(folder / "data", folder / "log") as up:
        before = recorded_processes(up.data_dir)
        up.process.kill()
        up.process.wait()
        assert [name for name, pid in before.items() if is_running(pid)] == list(before), "they go on without us"
        with Up(folder / "data", folder / "log") as again:
            after = recorded_processes(again.data_dir)
            assert after["postgresql-1"] == before["postgresql-1"], "adopted, not started again"
            assert after["redis-1"] == before["redis-1"]
            assert product_names(again, "acme")
            assert again.stop() == 0
    assert not [pid for pid in {*before.values(), *after.values()} if is_running(pid)]


def test_engines_and_instances_that_die_come_back(folder):
    with Up(folder / "data", folder / "log") as up:
        before = recorded_processes(up.data_dir)
        product = f"/api/products/{up.json('/api/products?limit=1', tenant='globex')[0]['id']}"
        assert [up.json(product, tenant="globex")["cached"] for _ in range(2)] == [False, True]
        os.kill(before["redis-1"], signal.SIGSTOP)  # the shop does without its cache
        assert up.json(product, tenant="globex")["cached"] is False
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)

        def all_back():
            now = recorded_processes(up.data_dir)
            return now.keys() == before.keys() and all(now[name] != before[name] and is_running(now[name]) for name in now)

        wait_until(all_back, "all processes run again")
        wait_until(lambda: up.request("/api/products", tenant="globex")[0] == 200, "the shop answers again")
