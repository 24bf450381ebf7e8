"""What the door needs for 10,000 tenants of which few do anything at a time: its greatest resident memory while all of them come
by once, one after the other, a thousand stay connected, and Redis is not asked anything for most of them any more."""
import hashlib
import time
import uuid

import redis as redis_client
import yaml
from common.measure import report
from common.stack import Identity, serve, write_platform_file

from support.redis_server import RedisServer

TENANTS, CONNECTED = 10_000, 1_000
SECONDS = 160  # for all to come by: a connection to Redis that nobody uses is closed after 60


def slug(number):
    return f"tenant-{number}"


def secret(number):
    return f"only-for-benchmarks-{number}"


def describe_tenants(path):
    platform = yaml.safe_load(path.read_text())
    platform["tenants"] = [{
        "slug": slug(number), "id": str(uuid.UUID(int=(4 << 76) + (8 << 60) + number + 1)), "name": slug(number), "tier": "bench", "cell": "main",
        "cache": {"secret_sha256": hashlib.sha256(secret(number).encode()).hexdigest()}} for number in range(TENANTS)]
    platform["tiers"]["bench"]["cache"] = {"keys": 1_000, "megabytes": 64}
    path.write_text(yaml.safe_dump(platform, sort_keys=False))


def memory_megabytes(pid, which):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(which)) / 1024


def come_by(port, number):
    client = redis_client.Redis(port=port, username=slug(number), password=secret(number), single_connection_client=True)
    pipeline = client.pipeline(transaction=False)
    for n in range(20):
        pipeline.set(f"session:{n}", "x" * 200)
    for n in range(40):
        pipeline.get(f"session:{n}")
    answers = pipeline.execute()
    if answers[:20] != [True] * 20 or answers.count(None) != 20:
        raise SystemExit(f"{slug(number)}: the door does not serve it: {answers[:3]}")
    return client


def measure(folder, provision):
    """`provision(folder, platform, patience)`: makes the users in its Redis."""
    folder.mkdir()
    print(f"\n{TENANTS} mostly idle tenants, prefix mode, {CONNECTED} of them connected")
    redis = RedisServer("--maxclients", "15000")
    redis.start()
    door, kept = None, []
    try:
        platform, ports = write_platform_file(folder, Identity(), cache={"port": redis.port, "mode": "prefix"})
        describe_tenants(platform)
        provision(folder, platform, patience=900)
        door = serve(platform, ports)
        at_first = memory_megabytes(door.pid, "VmRSS")
        begin = time.monotonic()
        for number in range(TENANTS):
            time.sleep(max(0.0, begin + SECONDS * number / TENANTS - time.monotonic()))
            client = come_by(ports["cache"], number)
            if number % (TENANTS // CONNECTED) == 0:
                kept.append(client)
            else:
                client.close()
        took = time.monotonic() - begin
        peak = memory_megabytes(door.pid, "VmHWM")
        print(f"all came by in {took:.0f} s: {at_first:.0f} MB at first, {memory_megabytes(door.pid, 'VmRSS'):.0f} MB in the end, {peak:.0f} MB at most")
        report("cache.idle_tenants.mb", peak, "<=", 300)
    finally:
        for client in kept:
            client.close()
        if door:
            door.stop()
        redis.stop()
        redis.remove()
