"""Several control instances, one of which leads: paused, and killed in the middle of its work."""
import random
import re
import signal
import time

import pytest
from support.control import Control
from support.paths import partywall_binary
from support.processes import Process, can_connect, free_port
from support.redis_server import RedisServer

PATIENCE = 90.0


class Leaders:
    """An instance that only answers calls, and others that compete for the lease."""

    def __init__(self, postgres, database, folder):
        self.postgres, self.database = postgres, database
        self.api = Control(postgres, database, folder)
        self.owner = self.api.owner
        assert self.owner.put("/v1/tiers/free", {"limits": {}}).status == 201
        self.api.cell("main", region="eu", max_tenants=10_000)
        self._processes = []

    def start(self):
        port = free_port()
        file = self.api.folder / f"leader-{len(self._processes)}.yaml"
        text = self.api.file.read_text().replace(f"port: {self.api.port}}}", f"port: {port}}}")
        file.touch(mode=0o600)
        file.write_text(text.replace("{run: false}", "{run: true, lease: 1s}"))
        process = Process([partywall_binary(), "control", "-f", file], file.with_suffix(".log"))
        self._processes.append(process)
        process.wait_until(lambda: can_connect(port), "listening")
        return process

    def stop(self):
        for process in self._processes:
            process.process.send_signal(signal.SIGCONT)
            process.stop()
        self.api.stop()

    def rows(self, query):
        return self.postgres.execute(query, self.database)

    def fences(self):
        """The fencing number of everything that leaders wrote, in the order in which it became visible."""
        events = self.rows("SELECT actor FROM partywall.events WHERE actor LIKE 'control %#%' ORDER BY id")
        return [int(actor.rpartition("#")[2]) for (actor,) in events]

    def leader_with(self, fence):
        """The process that got this fencing number, once its log says so."""
        def owns(process):
            return str(fence) in re.findall(r"this instance leads.*?fence\D*(\d+)", process.log())

        self.wait_until(lambda: any(map(owns, self._processes)), f"who leads with {fence}")
        return next(filter(owns, self._processes))

    def create(self, prefix, count):
        slugs = [f"{prefix}-{number}" for number in range(count)]
        for slug in slugs:
            made = self.owner.post("/v1/tenants", {"slug": slug})
            assert made.status == 202, made
        return set(slugs)

    def active(self):
        return {slug for (slug,) in self.rows("SELECT slug FROM partywall.tenants WHERE status = 'active'")}

    def wait_until(self, ready, what, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while not ready():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain for {what}")
            time.sleep(0.02)


@pytest.fixture
def leaders(postgres, database, tmp_path):
    made = Leaders(postgres, database, tmp_path)
    yield made
    made.stop()


def test_a_leader_that_was_paused_writes_nothing_after_another(leaders):
    """It is stopped while it works, and wakes up while the other one works."""
    leaders.start()
    leaders.start()
    leaders.wait_until(leaders.fences, "a leader")
    created = set()
    for turn in range(3):
        before = leaders.fences()[-1]
        paused = leaders.leader_with(before)
        created |= leaders.create(f"early-{turn}", 5)
        paused.process.send_signal(signal.SIGSTOP)
        created |= leaders.create(f"late-{turn}", 5)
        leaders.wait_until(lambda before=before: leaders.fences()[-1] > before, "another leader")
        paused.process.send_signal(signal.SIGCONT)
        leaders.wait_until(lambda: created <= leaders.active(), "all to be active")
    fences = leaders.fences()
    assert fences == sorted(fences), "an old leader wrote after a new one"


def kill_in_the_middle(leaders, times, seed):
    """No tenant stays half provisioned, and nothing is done twice that must be done once."""
    dice = random.Random(seed)
    created = set()
    for turn in range(times):
        leader = leaders.start()
        created |= leaders.create(f"turn-{turn}", 4)
        time.sleep(dice.uniform(0, 0.3))
        leader.process.kill()
        leader.process.wait()
    leaders.start()
    # The last one has nearly all of the work to do.
    leaders.wait_until(lambda: created <= leaders.active(), f"all to be active (seed {seed})", PATIENCE + 2 * times)
    left = leaders.rows("SELECT subject FROM partywall.operations WHERE status <> 'done'")
    assert left == [], f"seed {seed}"
    twice = leaders.rows("SELECT subject FROM partywall.events WHERE type = 'tenant.activated' "
                         "GROUP BY subject HAVING count(*) > 1")
    assert twice == [], f"seed {seed}"


def test_a_control_plane_that_is_killed_goes_on_where_it_was(leaders):
    kill_in_the_middle(leaders, 4, random.randrange(2**32))


@pytest.mark.long
def test_a_control_plane_that_is_killed_five_hundred_times(leaders):
    kill_in_the_middle(leaders, 500, random.randrange(2**32))


def test_a_tenants_user_in_redis_has_its_tag_and_runs_the_scripts_that_its_limits_allow(leaders):
    with RedisServer() as server:
        cache = {"instances": [{"name": "main", "topology": "single", "endpoints": [{"address": "127.0.0.1", "port": server.port}]}],
                 "mode": "prefix", "door_user": "door", "administrator": "ops"}
        secrets = {f"cache.{name}_password": name * 8 for name in ("door", "tenant", "administrator")}
        leaders.api.cell("keys", region="eu", parts={"pools": [], "cache": cache}, secrets=secrets)
        leaders.start()
        # The first ones come with everything else that the Redis needs, the others one by one.
        for turn in range(2):
            made = {scripts: leaders.api.tenant(f"{scripts}-{turn}", cell="keys", limits={"cache_scripts": scripts})
                    for scripts in ("any", "functions", "none")}
            leaders.wait_until(lambda: {one["slug"] for one in made.values()} <= leaders.active(), "all to be active")
            with server.client(username="ops", password=secrets["cache.administrator_password"], decode_responses=True) as redis:
                for scripts, tenant in made.items():
                    user = f"partywall-tenant-{tenant['id']}"

                    def may(*words, user=user):
                        return redis.execute_command("ACL DRYRUN", user, *words) in (True, "OK")

                    assert (may("EVALSHA", "x", 0), may("FCALL", "x", 0)) == (scripts == "any", scripts != "none"), scripts
                    own = {other["slug"] for other in made.values() if may("GET", f"tenant:{{{other['placement']['cache_tag']}}}:k")}
                    assert own == {tenant["slug"]}
