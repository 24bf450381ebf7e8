"""What caching saves: the read load of the example application, with its cache behind the door and without any. Nine readers of ten
look at a product (some are looked at much more often than others), one at the list. The application keeps a product for 30 seconds.

The application without a cache is the same program, told of a cache that is not there."""
import bisect
import itertools
import os
import pathlib
import random
import subprocess
import sys
import urllib.request

import redis
from common.embedded import EmbeddedStack
from common.measure import report
from common.stack import Process, can_connect, free_port, partywall_binary

PRODUCTS, EXPONENT, LISTS = 200, 1.0, 10
CASE_HIT_RATE, CASE_SAVED = 0.85, 0.70  # what the reference cases claim
HEADER = "X-Partywall-Context"


def fill_shop(stack):
    """Products 1 … PRODUCTS more, straight in the database; their ids."""
    tenant = stack.run["tenants"]["acme"]["id"]
    with stack.superuser() as database:
        schema, owner = database.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'products' AND c.relkind = 'r'"
        ).fetchone()
        rows = database.execute(
            f"INSERT INTO {schema}.{owner} (tenant_id, sku, name, price_cents)"
            " SELECT %s, 'bench-' || n, 'Product ' || n, 100 * n FROM generate_series(1, %s) n RETURNING id", (tenant, PRODUCTS)).fetchall()
    return [row[0] for row in rows]


def read_load(products, length):
    """Paths to ask for, the same for both."""
    generator = random.Random(11)
    sums = list(itertools.accumulate((n + 1) ** -EXPONENT for n in range(len(products))))
    for _ in range(length):
        if generator.random() * 100 < LISTS:
            yield "/api/products?limit=20"
        else:
            yield f"/api/products/{products[bisect.bisect_left(sums, generator.random() * sums[-1])]}"


def statements(stack):
    """Of all tenants, as the sql door counts them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.run['admin']['port']}/metrics", timeout=10) as answer:
        return sum(float(line.split()[-1]) for line in answer.read().decode().splitlines()
                   if line.startswith("partywall_sql_statements_total{"))


class Shop:
    """The example application of the stack started once more, on a port of its own."""

    def __init__(self, stack, redis_url=None):
        pid = stack.run["instances"][0]["pid"]
        words = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        environment = dict(word.decode().split("=", 1) for word in words if b"=" in word)
        if redis_url:
            environment["REDIS_URL"] = redis_url
        self.port = free_port()
        directory = os.readlink(f"/proc/{pid}/cwd")
        self.process = Process([sys.executable, "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning"],
                               stack.folder / f"shop-{self.port}.log", env=environment, cwd=directory)
        self.process.wait_until(lambda: can_connect(self.port), "the shop")

    def stop(self):
        self.process.stop()

    def run(self, stack, paths):
        """How many requests there were, and how many statements they took."""
        context, asked, before = None, 0, statements(stack)
        for number, path in enumerate(paths):
            if number % 500 == 0:
                context = subprocess.run([partywall_binary(), "token", "create", "-f", stack.run["platform_file"], "--tenant", "acme",
                                          "--audience", "any", "--ttl", "10m"], check=True, capture_output=True, text=True, timeout=60).stdout.strip()
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={HEADER: context})
            with urllib.request.urlopen(request, timeout=30) as answer:
                answer.read()
            asked += 1
        return asked, statements(stack) - before


def hits_and_misses(stack):
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.run['admin']['port']}/metrics", timeout=10) as answer:
        found = {line.split("{")[0]: float(line.split()[-1]) for line in answer.read().decode().splitlines() if 'tenant="acme"' in line
                 and line.startswith(("partywall_cache_hits_total{", "partywall_cache_misses_total{"))}
    return found.get("partywall_cache_hits_total", 0), found.get("partywall_cache_misses_total", 0)


def measure(quick):
    length = 3_000 if quick else 12_000
    with EmbeddedStack(workers=1) as stack:
        products = fill_shop(stack)
        acme = stack.run["tenants"]["acme"]
        redis.Redis(port=stack.run["cache"]["port"], username="acme", password=acme["cache_secret"]).flushdb()
        cached, plain = Shop(stack), Shop(stack, f"redis://127.0.0.1:{free_port()}")
        try:
            print(f"\ncaching: {length} reads, {LISTS} % of them lists; {PRODUCTS} products, Zipf {EXPONENT}; kept for 30 s")
            hits, misses = hits_and_misses(stack)
            asked, with_cache = cached.run(stack, read_load(products, length))
            hits_after, misses_after = hits_and_misses(stack)
            _, without = plain.run(stack, read_load(products, length))
        finally:
            cached.stop()
            plain.stop()
    looked_up = hits_after - hits + misses_after - misses
    if looked_up == 0 or without < asked:
        raise SystemExit("the load did not run as it should, nothing can be compared")
    print(f"{with_cache:.0f} statements with the cache, {without:.0f} without; {looked_up:.0f} look-ups")
    report("cache.caching.hit_rate", (hits_after - hits) / looked_up, ">=", CASE_HIT_RATE)
    report("cache.caching.statements_saved", 1 - with_cache / without, ">=", CASE_SAVED)
