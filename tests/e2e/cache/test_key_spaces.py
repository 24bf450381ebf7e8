"""Key spaces: a tenant that keeps jobs, which must not get lost, beside pages, which may."""
import copy
import json
import subprocess
import time

import pytest
import redis
from cache_stack import CacheStack

from support.paths import partywall_binary

KEYS, MEBIBYTE = 200, 1 << 20
PAGES = {"prefix": "page:", "at_quota": "evict"}
DRAFTS = {"prefix": "page:draft:", "at_quota": "refuse"}
QUOTAS = {"acme": {"keys": KEYS, "megabytes": 4, "at_quota": "refuse", "key_spaces": [PAGES, DRAFTS]},
          "globex": {"keys": KEYS, "megabytes": 4, "at_quota": "evict", "key_spaces": [{"prefix": "keep:", "at_quota": "refuse"}]}}


@pytest.fixture(scope="module", params=["database", "prefix"])
def running(request):
    """Of acme the tier says it, of globex an override."""
    stack = CacheStack(mode=request.param)
    stack.platform["tiers"]["of-acme"] = copy.deepcopy(stack.platform["tiers"]["fast"]) | {"cache": QUOTAS["acme"].copy()}
    for tenant in stack.platform["tenants"]:
        if tenant["slug"] == "acme":
            tenant["tier"] = "of-acme"
        elif tenant["slug"] == "globex":
            tenant["overrides"] = {"cache": QUOTAS["globex"].copy()}
        else:
            tenant["tier"] = "fast"
    yield stack.start()
    assert stack.stop() == 0, "the daemon did not end cleanly"


@pytest.fixture
def stack(running):
    for slug in ("acme", "globex", "slow"):
        running.empty(slug)
    return running


def over_quota(more=""):
    return pytest.raises(redis.ResponseError, match="OOM command not allowed" + more)


def fill(client, start, count, value="value"):
    pipeline = client.pipeline(transaction=False)
    for n in range(count):
        pipeline.set(f"{start}{n}", value)
    return [answer for answer in pipeline.execute(raise_on_error=False) if answer is True]


def names(stack, slug):
    """The tenant's keys, without its prefix."""
    start = stack.prefix(slug)
    return {key[len(start):] for key in stack.administrator(slug).scan_iter(count=1000) if key.startswith(start)}


def of_space(stack, slug, start):
    return sum(name.startswith(start) for name in names(stack, slug))


def counter(stack, name, slug):
    start = f'partywall_cache_{name}_total{{tenant="{slug}"}} '
    return next((float(line[len(start):]) for line in stack.metrics().splitlines() if line.startswith(start)), 0)


def write_until_refused(client, start):
    for n in range(KEYS + 1):
        try:
            client.set(f"{start}{n}", 1)
        except redis.ResponseError as error:
            assert "OOM" in str(error)
            return n
    raise AssertionError("nothing was refused")


def test_pages_make_room_for_pages_and_jobs_stay(stack):
    acme = stack.client("acme")
    assert len(fill(acme, "job:", 100)) == 100
    for n in range(3 * KEYS):
        assert acme.set(f"page:{n}", 1)
    assert of_space(stack, "acme", "job:") == 100 and len(names(stack, "acme")) <= KEYS
    assert acme.get(f"page:{3 * KEYS - 1}") == "1" and counter(stack, "evicted", "acme") > 0
    made = write_until_refused(acme, "new job:")
    assert made < KEYS / 2, "jobs evict nothing: they get what room pages have left"
    assert of_space(stack, "acme", "job:") == 100 and of_space(stack, "acme", "new job:") == made
    assert acme.set("page:again", 1), "pages go on"
    assert of_space(stack, "acme", "new job:") == made and len(names(stack, "acme")) <= KEYS


def test_of_several_spaces_the_longest_prefix_counts(stack):
    acme = stack.client("acme")
    assert len(fill(acme, "page:draft:", 100)) == 100
    for n in range(2 * KEYS):
        assert acme.set(f"page:{n}", 1)
    assert of_space(stack, "acme", "page:draft:") == 100 and len(names(stack, "acme")) <= KEYS
    write_until_refused(acme, "page:draft:new")
    assert acme.set("page:again", 1)


def test_an_override_of_the_tenant_counts(stack):
    globex = stack.client("globex")
    assert len(fill(globex, "keep:", 50)) == 50
    for n in range(3 * KEYS):
        assert globex.set(f"other:{n}", 1)
    assert of_space(stack, "globex", "keep:") == 50 and len(names(stack, "globex")) <= KEYS
    write_until_refused(globex, "keep:new")


def test_what_names_keys_of_both_is_refused(stack):
    acme = stack.client("acme")
    fill(acme, "job:", 100)
    fill(acme, "page:", KEYS)
    write_until_refused(acme, "new job:")
    for write in (lambda: acme.mset({"page:a": 1, "job:a": 1}), lambda: acme.mset({"page:a": 1, "page:draft:a": 1}),
                  lambda: acme.eval("return redis.call('SET', KEYS[2], 1)", 2, "page:a", "job:a"),
                  lambda: acme.sunionstore("job:union", "page:none", "job:none")):
        with over_quota():
            write()
    assert acme.mset({"page:a": 1, "page:b": 1}) and acme.sadd("page:set", 1)
    assert acme.eval("return redis.call('SET', KEYS[1], 1)", 1, "page:c") == "OK"
    acme.pipeline(transaction=True).set("page:d", 1).set("page:e", 1).execute()
    assert of_space(stack, "acme", "job:") == 100 and len(names(stack, "acme")) <= KEYS


def test_bytes_are_judged_likewise(stack):
    acme = stack.client("acme")
    assert len(fill(acme, "job:", 20, "x" * 50_000)) == 20
    for n in range(100):
        assert acme.set(f"page:{n}", "x" * 100_000)
    assert of_space(stack, "acme", "job:") == 20
    administrator = stack.administrator("acme")
    kept = sum(administrator.memory_usage(stack.prefix("acme") + name, samples=0) or 0 for name in names(stack, "acme"))
    assert kept < 5 * MEBIBYTE
    with over_quota():
        for n in range(60):
            acme.set(f"new job:{n}", "x" * 100_000)
    assert of_space(stack, "acme", "job:") == 20


def test_a_neighbours_keys_of_the_same_names_are_not_touched(stack):
    acme, globex, slow = (stack.client(slug) for slug in ("acme", "globex", "slow"))
    assert len(fill(slow, "page:", 500)) == 500
    assert len(fill(globex, "page:", 100)) == 100
    fill(acme, "job:", 100)
    for n in range(3 * KEYS):
        acme.set(f"page:{n}", 1)
    # Names that look like somebody else's are the tenant's own.
    for victim in (stack.prefix("slow"), "+", "-", "page:\r\n", stack.prefix("globex") + "keep:"):
        acme.set(f"page:{victim}1", 1)
    assert of_space(stack, "slow", "page:") == 500 and of_space(stack, "globex", "page:") == 100
    with over_quota():
        fill_all = [acme.set(f"job:more:{n}", 1) for n in range(KEYS)]
        assert not fill_all
    assert slow.set("page:more", 1) and globex.set("keep:1", 1)


def test_they_are_shown(stack):
    def stats(*more):
        return subprocess.run([partywall_binary(), "cache", "stats", "acme", "--admin", f"127.0.0.1:{stack.admin_port}", *more],
                              capture_output=True, text=True, timeout=60, check=True).stdout

    assert json.loads(stats("-o", "json"))["quota"]["key_spaces"] == [DRAFTS, PAGES]
    assert "page:draft:* refuse, page:* evict; " in stats()


# These two come last: for a while after them it is not looked for pages that may go.
def test_where_nothing_may_go_a_page_is_refused(stack):
    acme, before = stack.client("acme"), counter(stack, "nothing_to_evict", "acme")
    assert len(fill(acme, "job:", KEYS)) == KEYS
    with over_quota(".*none of those that may be evicted makes room"):
        acme.set("page:1", 1)
    with over_quota():
        acme.set("job:more", 1)
    assert counter(stack, "nothing_to_evict", "acme") == before + 1
    assert acme.set("job:1", 2), "what makes no key goes on"
    assert len(names(stack, "acme")) == KEYS
    acme.delete("job:1")
    assert acme.set("page:1", 1) and acme.set("page:1", 2)


def test_to_look_for_what_may_go_costs_little_where_there_is_none(stack):
    if stack.mode == "prefix":
        pytest.skip("there the door asks with scripts for other reasons too")
    acme, raw = stack.client("acme"), stack.administrator()
    assert len(fill(acme, "job:", KEYS)) == KEYS

    def scripts():
        return raw.info("commandstats").get("cmdstat_eval", {}).get("calls", 0)

    begin, before = time.monotonic(), scripts()
    for n in range(100):
        with over_quota():
            acme.set(f"page:{n}", 1)
    assert scripts() - before <= (time.monotonic() - begin) / 0.1 + 1
