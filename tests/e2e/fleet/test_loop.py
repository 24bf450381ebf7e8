"""A node that starts, scales, heals and ends the instances of its pool. Times are those of the shortest settings; what
is asserted is what happens, never how fast."""
import http.client
import os
import signal
import subprocess
import threading

from support.waiting import wait_until


class Clients:
    """So many threads that ask one after the other, until the end of the block. `failures` are the answers that were
    not 200, and the connections that broke."""

    def __init__(self, port, count, path="/"):
        self.port, self.path = port, path
        self.answers, self.failures = 0, []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]

    def _ask(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self._end.is_set():
            try:
                connection.request("GET", self.path)
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    self.failures.append(response.status)
                self.answers += 1
            except OSError as error:
                self.failures.append(repr(error))
                connection.close()

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()


def kinds(node):
    return [event["kind"] for event in node.events()]


def test_the_pool_grows_with_the_load_and_shrinks_without_a_failed_request(fleet_node):
    node = fleet_node(environment=["PLACES=5"], scaling={"min": 2, "max": 5, "concurrency": 5, "offered_load": {"window": "5s"},
                                                         "down": {"stabilisation": "10s"}},
                      http={"queue_timeout": "60s", "max_requests_per_instance": 6})
    node.wait_for_ready(2)
    with Clients(node.http_port, 24) as clients:
        node.wait_for_ready(5)
        assert "offered-load" in node.cli("explain")
    node.wait_for_ready(2)
    assert clients.failures == []
    assert clients.answers > 0
    assert {"scaled", "draining", "removed"} <= set(kinds(node))
    assert "offered-load" in node.cli("history")


def test_a_killed_instance_comes_back(fleet_node):
    node = fleet_node()
    node.wait_for_ready(2)
    before = node.instances()
    os.kill(before[0]["process_id"], signal.SIGKILL)
    wait_until(lambda: node.instances()[0]["restarts"] == 1, "the restart")
    node.wait_for_ready(2)
    assert node.instances()[1]["process_id"] == before[1]["process_id"]
    assert node.instances()[0]["last_exit"] == "killed by SIGKILL"


def test_a_hung_instance_is_replaced_while_the_others_serve(fleet_node):
    node = fleet_node(scaling={"min": 3, "max": 6})
    node.wait_for_ready(3)
    hung = node.instances()[1]["process_id"]
    with Clients(node.http_port, 2, "/pid") as clients:
        node.hang(hung)
        wait_until(lambda: "replaced" in kinds(node), "the replacement")
        node.wait_for_ready(3)
    assert hung not in [each["process_id"] for each in node.instances()]
    # Who was with the hung one when it hung had to wait for it; nobody else noticed.
    assert len(clients.failures) <= 2


def test_one_that_leaks_memory_is_replaced(fleet_node):
    node = fleet_node(max_memory="128MiB")
    node.wait_for_ready(2)
    before = {each["process_id"] for each in node.instances()}
    connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=60)
    for _ in range(3):
        connection.request("GET", "/leak")
        connection.getresponse().read()
    wait_until(lambda: "replaced" in kinds(node), "the replacement")
    node.wait_for_ready(2)
    assert {each["process_id"] for each in node.instances()} != before


def test_when_all_hang_nothing_is_replaced(fleet_node):
    node = fleet_node(scaling={"min": 3, "max": 6})
    node.wait_for_ready(3)
    before = {each["process_id"] for each in node.instances()}
    for process_id in before:
        node.hang(process_id)
    wait_until(lambda: node.pool()["braked"], "the brake")
    assert {each["process_id"] for each in node.instances()} >= before
    assert "BRAKED" in node.cli("status")


def test_a_node_that_was_killed_takes_its_instances_over(fleet_node):
    node = fleet_node()
    node.wait_for_ready(2)
    before = {each["process_id"] for each in node.instances()}
    node.process.process.kill()
    node.process.process.wait()
    node.start()
    node.wait_for_ready(2)
    assert {each["process_id"] for each in node.instances()} == before
    assert node.events() == []


def test_an_operator_scales_pauses_and_resumes(fleet_node):
    node = fleet_node()
    node.wait_for_ready(2)
    assert "is to have 4" in node.cli("scale", "web", "--count", "4")
    node.cli("pause")
    node.wait_for_ready(4)
    assert "paused" in node.cli("status", "main/web")
    assert "2 to 8 instances, not 9" in node.cli("scale", "--count", "9", status=1)
    assert "the node keeps main/web" in node.cli("pause", "nonsense", status=3)
    node.cli("resume")
    node.wait_for_ready(2)


def test_who_has_not_the_token_may_only_look(fleet_node):
    node = fleet_node()
    node.wait_for_ready(2)
    token = (node.folder / "fleet/operator.token").read_text().strip()
    assert (node.folder / "fleet/operator.token").stat().st_mode & 0o077 == 0
    for verb, body in (("scale", {"count": 8}), ("pause", None), ("resume", None)):
        for wrong in (None, "", "x", token[:-1], token.upper() + "0"):
            assert node.post(f"/fleet/main/web/{verb}", wrong, body) == 401
    assert node.post("/fleet/main/web/scale", token, {"count": "8"}) == 400
    assert node.post("/fleet/main/web/scale", token, {"count": 8, "pool": "x"}) == 400
    assert node.post("/fleet/main/other/pause", token) == 404
    assert len(node.instances()) == 2 and not node.pool()["paused"]
    assert token not in node.get("/fleet").decode() + node.process.log()


def test_the_platform_file_is_checked(binary, fleet_node):
    node = fleet_node()
    text = node.file.read_text()
    for change, complaint in ((("pool: web\n    version", "pool: wbe\n    version"), "cell 'main' has no pool 'wbe'"),
                              (("drain_timeout: 10s", "drain_timout: 10s"), "did you mean 'drain_timeout'")):
        assert change[0] in text
        wrong = node.folder / "wrong.yaml"
        wrong.write_text(text.replace(*change))
        result = subprocess.run([binary, "check", wrong], capture_output=True, text=True, timeout=30)
        assert result.returncode == 1 and complaint in result.stdout, result.stdout
