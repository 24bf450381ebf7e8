"""What quotas cost, beside doors that count nothing: CPU of the door and of Redis below the quota, Redis's CPU for each key
that is evicted, and how near the hit rate comes to that of an exact LRU cache of the same size."""
import bisect
import collections
import itertools
import random
import threading
import time

import redis as redis_client
import yaml
from common.measure import Contestant, alternate, cpu_seconds, median_ratio, report
from common.stack import Identity, serve, write_platform_file

from support.redis_server import RedisServer

ENDLESS = {"keys": 1_000_000_000, "megabytes": 1 << 30}
IN_MODE = {"database": "", "prefix": ".prefix"}  # part of the names of figures
FAR = {"keys": 100_000_000, "megabytes": 1 << 20}


class Door:
    """A door with a Redis of its own, whose one tenant has this quota."""

    def __init__(self, folder, quota, prepare, mode="database"):
        folder.mkdir()
        self.redis = RedisServer()
        self.redis.start()
        platform, ports = write_platform_file(folder, Identity(), cache={"port": self.redis.port, "mode": mode})
        document = yaml.safe_load(platform.read_text())
        document["tiers"]["bench"]["cache"] |= quota
        platform.write_text(yaml.safe_dump(document))
        prepare(folder, platform, mode)
        self.process = serve(platform, ports)
        self.port = ports["cache"]

    def stop(self):
        self.process.stop()
        self.redis.stop()
        self.redis.remove()

    def client(self, secret):
        return redis_client.Redis(port=self.port, username="acme", password=secret)


def accounting(folder, prepare, benchmark, login, quick, mode):
    """Below the quota. Door and Redis together."""
    doors = {name: Door(folder / f"{mode}-{name}", quota, prepare, mode) for name, quota in (("far", FAR), ("endless", ENDLESS))}
    try:
        for pipeline, operations in ((1, 40_000), (16, 300_000)):
            operations *= 1 if quick else 4
            print(f"\nquotas, {mode} mode, pipelines of {pipeline}")
            far, endless = contestants = [
                Contestant(f"quota {name}", [door.process.pid, door.redis.pid],
                           lambda door=door: benchmark(door.port, login, pipeline, operations))
                for name, door in doors.items()]
            alternate(contestants, 5 if quick else 9)
            name = f"cache.accounting{IN_MODE[mode]}.cost" + (".pipeline16" if pipeline > 1 else "")
            report(name, median_ratio(far, endless), "<=", 1.05)
    finally:
        for door in doors.values():
            door.stop()


def set_new_keys(door, secret, first, count):
    """Redis's CPU for each of them."""
    client = door.client(secret)
    before = cpu_seconds(door.redis.pid)
    for batch in range(first, first + count, 16):
        pipeline = client.pipeline(transaction=False)
        for n in range(batch, batch + 16):
            pipeline.set(f"key:{n}", "x" * 64)
        pipeline.execute()
    return (cpu_seconds(door.redis.pid) - before) / count * 1e6


def evicting(folder, prepare, secret, quick, mode):
    """Keys that make room beside keys that have room."""
    quota, count = 10_000, 40_000 if quick else 160_000
    full = Door(folder / f"{mode}-full", {"keys": quota, "megabytes": 1 << 20, "at_quota": "evict"}, prepare, mode)
    roomy = Door(folder / f"{mode}-roomy", FAR, prepare, mode)
    try:
        set_new_keys(full, secret, 0, quota)
        costs = []
        for turn in range(3):
            first = quota + turn * count
            with_, without = (set_new_keys(door, secret, first, count) for door in (full, roomy))
            costs.append(with_ - without)
            print(f"evicting, {mode} mode: {with_:.2f} µs of Redis for each new key, {without:.2f} µs where there is room")
        report(f"cache.evict{IN_MODE[mode]}.redis_us", sorted(costs)[1], "<=", 15)
    finally:
        full.stop()
        roomy.stop()


def zipf(keys, exponent, length, seed):
    sums = list(itertools.accumulate((n + 1) ** -exponent for n in range(keys)))
    generator = random.Random(seed)
    return [bisect.bisect_left(sums, generator.random() * sums[-1]) for _ in range(length)]


def exact_lru_hits(trace, capacity, count_from):
    cache, hits = collections.OrderedDict(), 0
    for number, key in enumerate(trace):
        if key in cache:
            cache.move_to_end(key)
            hits += number >= count_from
            continue
        cache[key] = True
        if len(cache) > capacity:
            cache.popitem(last=False)
    return hits


def hit_rate_gap(door, secret, exponent, length, per_second, gaps):
    """A cache-aside client: GET, and SET after a miss. Redis tells in seconds when a key was used, so keys must live for many of
    them: the trace is played at a pace."""
    trace, warm = zipf(4_000, exponent, length, 7), length // 3
    client, hits = door.client(secret), 0
    begin = time.monotonic()
    for number, key in enumerate(trace):
        time.sleep(max(0.0, begin + number / per_second - time.monotonic()))
        if client.get(f"key:{key}") is not None:
            hits += number >= warm
        else:
            client.set(f"key:{key}", "x")
    exact = exact_lru_hits(trace, QUOTA_OF_TRACE, warm)
    counted = length - warm
    print(f"zipf {exponent}: {hits / counted:.1%} of {counted} look-ups hit, {exact / counted:.1%} with an exact LRU")
    gaps[exponent] = (exact - hits) / counted * 100


QUOTA_OF_TRACE = 400


def hit_rates(folder, prepare, secret, quick):
    quota = {"keys": QUOTA_OF_TRACE, "megabytes": 1 << 20, "at_quota": "evict"}
    length, per_second = (9_000, 150) if quick else (60_000, 200)
    doors = {exponent: Door(folder / f"zipf{exponent}", quota, prepare) for exponent in (0.9, 1.1)}
    gaps = {}
    try:
        threads = [threading.Thread(target=hit_rate_gap, args=(door, secret, exponent, length, per_second, gaps))
                   for exponent, door in doors.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        report("cache.hit_rate_gap.zipf09", gaps[0.9], "<=", 1.0)
        report("cache.hit_rate_gap.zipf11", gaps[1.1], "<=", 1.0)
    finally:
        for door in doors.values():
            door.stop()


def measure(folder, prepare, benchmark, secret, quick):
    for mode in IN_MODE:
        accounting(folder, prepare, benchmark, ["--user", "acme", "-a", secret], quick, mode)
        evicting(folder, prepare, secret, quick, mode)
    hit_rates(folder, prepare, secret, quick)
