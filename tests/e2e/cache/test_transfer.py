"""`partywall cache export`, `import` and `erase`: everything arrives as it was, and only where it belongs."""
import json
import subprocess
import time

import pytest
import redis
from cache_stack import ADMINISTRATOR, tenant_id
from support.paths import partywall_binary
from support.redis_server import RedisServer


def run(stack, command, slug, *arguments, stdin=None, check=True):
    done = subprocess.run([partywall_binary(), "cache", command, "-f", stack.folder / "platform.yaml", "--tenant", slug,
                           "--administrator", ADMINISTRATOR, "--password-file", stack.folder / "administrator", *arguments],
                          input=stdin, capture_output=True, timeout=60)
    if check:
        assert done.returncode == 0, done.stderr.decode()
    return done


def fill(client, prefix=""):
    """A key of every type, with and without an expiry, with bytes of all kinds."""
    client.set(f"{prefix}string", bytes(range(256)))
    client.set(f"{prefix}number", 12345, px=10_000_000)
    client.set(f"{prefix}big", b"x" * 3_000_000)
    client.setbit(f"{prefix}bits", 1000, 1)
    client.rpush(f"{prefix}list", *range(1000))
    client.sadd(f"{prefix}integers", *range(100))
    client.sadd(f"{prefix}set", *(f"member {n}" for n in range(1000)))
    client.hset(f"{prefix}hash", mapping={f"field {n}": b"\x00\xff" * n for n in range(200)})
    client.zadd(f"{prefix}sorted", {f"m{n}": n / 3 for n in range(1000)})
    client.geoadd(f"{prefix}geo", (13.36, 38.11, "Palermo"))
    client.pfadd(f"{prefix}hyperloglog", *range(1000))
    for n in range(100):
        client.xadd(f"{prefix}stream", {"n": n})
    client.xgroup_create(f"{prefix}stream", "group", id="0")
    client.xreadgroup("group", "consumer", {f"{prefix}stream": ">"}, count=10)
    client.set(f"{prefix}{'k' * 1000}\r\n\x00*?[]", "odd name")
    client.expire(f"{prefix}hash", 100_000)
    for n in range(3000):
        client.set(f"{prefix}many:{n}", n)


def contents(client, prefix=b""):
    """All keys with what DUMP says, and the time they expire at. Of hashes and sets DUMP gives the members in any order."""
    found = {}
    for key in client.scan_iter(match=b"*", count=1000):
        if key.startswith(prefix):
            kind = client.type(key)
            value = {b"hash": client.hgetall, b"set": client.smembers}.get(kind, client.dump)(key)
            encoding = client.object("encoding", key)
            found[key[len(prefix):]] = (kind, encoding, value, client.execute_command("PEXPIRETIME", key))
    return found


class Keys:
    """A tenant's keys as they are in Redis, past the door: without the prefix that they may have there."""

    def __init__(self, stack, slug):
        self.client = raw(stack, slug)
        self.prefix = stack.prefix(slug).encode()

    def __getattr__(self, name):
        """The commands whose first argument is a key."""
        command = getattr(self.client, name)
        return lambda key, *arguments, **options: command(self.prefix + (key if isinstance(key, bytes) else key.encode()),
                                                          *arguments, **options)

    def fill(self):
        fill(self.client, self.prefix.decode())

    def contents(self):
        return contents(self.client, self.prefix)

    def names(self):
        return set(self.contents())


def raw(stack, slug):
    return redis.Redis(port=stack.redis.port, username=ADMINISTRATOR, password=stack.passwords["administrator"],
                       db=int(stack.administrator(slug).connection_pool.connection_kwargs["db"]))


def test_every_type_arrives_as_it_was(cache, tmp_path):
    Keys(cache, "acme").fill()
    before = Keys(cache, "acme").contents()
    file = tmp_path / "acme.export"
    assert b"exported 3013 keys" in run(cache, "export", "acme", "-o", file).stderr
    assert file.stat().st_mode & 0o777 == 0o600
    done = run(cache, "import", "globex", "-i", file)
    assert b"the export is of tenant " + tenant_id("acme").encode() in done.stderr
    assert Keys(cache, "globex").contents() == before
    assert Keys(cache, "acme").contents() == before
    assert cache.client("globex", decode_responses=False).get("string") == bytes(range(256))


def test_through_a_pipe(cache):
    Keys(cache, "acme").set("a", 1)
    stream = run(cache, "export", "acme").stdout
    run(cache, "import", "globex", stdin=stream)
    assert cache.client("globex").get("a") == "1"


def test_from_another_redis_whose_keys_had_a_prefix(cache):
    with RedisServer(databases=4) as old:
        client = old.client(db=3)
        prefix = "tenant:{7}*?:"
        fill(client, prefix)
        client.set("tenant:{7}XY:b", "a look-alike that the pattern would match if it were not escaped")
        client.set("unprefixed", "nobody's")
        stream = run(cache, "export", "acme", "--source", f"127.0.0.1:{old.port}", "--source-database", "3",
                     "--strip-prefix", prefix).stdout
        run(cache, "import", "acme", stdin=stream)
        assert Keys(cache, "acme").contents() == contents(client, prefix.encode())


def test_a_key_named_like_another_tenants_stays_the_tenants_own(cache):
    other = tenant_id("globex")
    names = [f"tenant:{{{other}}}:a", f"tenant:{other}:a", "partywall", "../a", "*"]
    for name in names:
        Keys(cache, "acme").set(name, "of acme")
    run(cache, "import", "slow", stdin=run(cache, "export", "acme").stdout)
    assert Keys(cache, "slow").names() == {name.encode() for name in names}
    assert not Keys(cache, "globex").names()


def test_what_has_expired_on_the_way_is_not_made(cache):
    Keys(cache, "acme").set("short", 1, px=300)
    Keys(cache, "acme").set("long", 1, px=1_000_000)
    stream = run(cache, "export", "acme").stdout
    deadline = time.monotonic() + 10
    while Keys(cache, "acme").exists("short") and time.monotonic() < deadline:
        time.sleep(0.02)
    run(cache, "import", "globex", stdin=stream)
    assert Keys(cache, "globex").names() == {b"long"}


def test_keys_that_are_there_are_not_touched_unless_told_so(cache):
    Keys(cache, "acme").set("a", "new")
    stream = run(cache, "export", "acme").stdout
    Keys(cache, "globex").set("a", "old")
    Keys(cache, "globex").set("b", "kept")
    refused = run(cache, "import", "globex", stdin=stream, check=False)
    assert refused.returncode == 1 and b"has 2 keys already" in refused.stderr
    assert Keys(cache, "globex").get("a") == b"old"
    run(cache, "import", "globex", "--merge", stdin=stream)
    assert [Keys(cache, "globex").get(key) for key in ("a", "b")] == [b"new", b"kept"]


def test_a_file_is_not_overwritten(cache, tmp_path):
    (tmp_path / "file").write_text("precious")
    refused = run(cache, "export", "acme", "-o", tmp_path / "file", check=False)
    assert refused.returncode == 1 and (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("damage", [lambda s: s[:-1], lambda s: s[:40], lambda s: s + b"x", lambda s: s[:60] + b"?" + s[61:],
                                    lambda s: b"", lambda s: b"REDIS0010" + s])
def test_a_damaged_export_is_refused_and_says_so(cache, damage):
    Keys(cache, "acme").set("key", "value" * 10)
    stream = run(cache, "export", "acme").stdout
    done = run(cache, "import", "globex", stdin=damage(stream), check=False)
    assert done.returncode == 1
    assert b"damaged" in done.stderr or b"not an export" in done.stderr


def forged(stack, frames):
    """An export that is sealed rightly, with contents that no export would have."""
    import hashlib
    import struct
    import uuid
    chain, out = b"\x00" * 32, b"PWCACHE1"

    def frame(kind, content):
        nonlocal chain, out
        head = kind + struct.pack("<I", len(content))
        chain = hashlib.sha256(chain + head + hashlib.sha256(content).digest()).digest()
        out += head + content + chain[:8]
    tenant = uuid.UUID(tenant_id("acme")).int
    frame(b"H", struct.pack("<QQQ", tenant >> 64, tenant & (2 ** 64 - 1), 0))
    for key, payload in frames:
        frame(b"K", struct.pack("<QI", 0, len(key)) + key + payload)
    frame(b"E", struct.pack("<Q", len(frames)))
    return out


def test_a_payload_that_redis_cannot_trust_harms_nobody(cache):
    source = Keys(cache, "acme")
    source.rpush("list", *range(200))
    source.zadd("sorted", {f"m{n}": n for n in range(200)})
    Keys(cache, "globex").set("mine", "untouched")
    for key in (b"list", b"sorted"):
        good = source.dump(key)
        for at in range(1, len(good) - 10, 37):
            bad = bytearray(good)
            bad[at] ^= 0xFF
            # With a checksum that is right, so that only a look at the content can tell.
            bad[-8:] = crc64(bytes(bad[:-8])).to_bytes(8, "little")
            done = run(cache, "import", "slow", "--merge", stdin=forged(cache, [(b"evil", bytes(bad))]), check=False)
            assert done.returncode in (0, 1)
            for command in ("LRANGE evil 0 -1", "ZRANGE evil 0 -1", "DEL evil"):
                try:
                    name, key, *rest = command.split()
                    raw(cache, "slow").execute_command(name, cache.prefix("slow") + key, *rest)
                except redis.ResponseError:
                    pass
    assert Keys(cache, "globex").get("mine") == b"untouched" and cache.client("globex").ping()


def crc64(data):
    """Redis's own, as at the end of a payload (Jones's polynomial, reflected)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x95AC9329AC4BC9B5 if crc & 1 else 0)
    return crc


def test_the_checksum_of_the_attack_is_redis_own(cache):
    payload = Keys(cache, "acme").set("a", "b") and Keys(cache, "acme").dump("a")
    assert crc64(payload[:-8]) == int.from_bytes(payload[-8:], "little")


def test_erasing_a_tenant_leaves_nothing_and_touches_nobody_else(own_stack):
    Keys(own_stack, "acme").fill()
    Keys(own_stack, "globex").set("kept", 1)
    listener = own_stack.client("acme").pubsub()
    listener.subscribe("news")
    listener.get_message(timeout=5)
    refused = run(own_stack, "erase", "acme", "--yes", check=False)
    assert refused.returncode == 1 and b"suspend it first" in refused.stderr
    own_stack.change_tenant("acme", status="suspended")
    done = run(own_stack, "erase", "acme", "--yes")
    assert b"erased 3013 keys" in done.stderr
    proof = [json.loads(line) for line in done.stdout.splitlines()]
    assert proof == [{"server": f"127.0.0.1:{own_stack.redis.port}", "tenant": tenant_id("acme"), "keys": 0, "user": False,
                      "channels": 0}]
    assert not Keys(own_stack, "acme").names() and Keys(own_stack, "globex").get("kept") == b"1"
    users = own_stack.administrator().acl_users()
    assert f"partywall-tenant-{tenant_id('acme')}" not in users and f"partywall-tenant-{tenant_id('globex')}" in users
    assert own_stack.client("globex").get("kept") == "1"
    run(own_stack, "erase", "acme", "--yes")  # again is harmless
