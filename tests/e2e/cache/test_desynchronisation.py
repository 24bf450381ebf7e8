"""Clients of two tenants that break off anywhere: whatever is read belongs to whoever reads it, in the order of asking."""
import os
import pathlib
import random
import re
import socket
import subprocess
import threading

import pytest
from resp import request
from support.paths import REPOSITORY

TOKEN = re.compile(rb"<(\w+):(\d+):(\d+)>")


class Wanderer(threading.Thread):
    """Connects, asks for tokens of its own in all sorts of commands, reads some answers, breaks off at any byte."""

    def __init__(self, stack, number, rounds):
        super().__init__()
        self.random = random.Random(number)
        self.stack, self.number, self.rounds = stack, number, rounds
        self.contexts = {slug: stack.context(slug, ttl="10m") for slug in ("acme", "globex")}
        self.sent = self.read = 0
        self.wrong = []

    def run(self):
        for _ in range(self.rounds):
            try:
                self.connection()
            except OSError:
                pass  # the door has ended it: allowed, as long as nothing foreign was read before

    def connection(self):
        slug = self.random.choice(("acme", "globex"))
        with socket.create_connection(("127.0.0.1", self.stack.port), timeout=20) as client:
            client.sendall(request("AUTH", "app", self.contexts[slug]))
            asked, bytes_out = [], b""
            for _ in range(self.random.randrange(1, 60)):
                if self.random.random() < 0.05:
                    slug = self.random.choice(("acme", "globex"))
                    bytes_out += request("AUTH", "app", self.contexts[slug])
                bytes_out += self.ask(slug, asked)
            bytes_out += self.ask(slug, asked, kind=1)
            is_cut = self.random.random() < 0.3
            if is_cut:
                bytes_out = bytes_out[:self.random.randrange(len(bytes_out))]
                client.settimeout(0.3)  # nobody knows how much will come
            client.sendall(bytes_out)
            got, wanted = b"", self.random.randrange(len(bytes_out) * 2)
            while len(got) < wanted and asked[-1] not in got:
                try:
                    part = client.recv(min(65536, wanted - len(got)))
                except TimeoutError:
                    if not is_cut:
                        self.wrong.append(("an answer is missing", asked))
                    break
                if not part:
                    break
                got += part
            self.check(got, asked)

    def ask(self, slug, asked, kind=None):
        self.sent += 1
        token = b"<%s:%d:%d>" % (slug.encode(), self.number, self.sent)
        kind = self.random.randrange(8) if kind is None else kind
        if kind == 0:
            token += b"x" * self.random.randrange(150_000)
        asked.append(TOKEN.match(token).group())
        if kind <= 3:
            return request("ECHO", token)
        if kind == 4:
            key = f"k{self.number}"
            return request("SET", key, token) + request("GETDEL", key)
        if kind == 5:
            return request("MULTI") + request("ECHO", token) + request("EXEC")
        if kind == 6:
            return request("EVAL", "return ARGV[1]", 0, token)
        queue = f"q{self.number}:{self.sent}"  # what a broken connection has left in it is nobody's
        return request("RPUSH", queue, token) + request("BLPOP", queue, 1)

    def check(self, got, asked):
        found = [match.group() for match in TOKEN.finditer(got)]
        self.read += len(found)
        rest = iter(asked)
        for token in found:
            # Those in between may have failed, but the order stays.
            if not any(token == wanted for wanted in rest):
                self.wrong.append((token, asked[:5]))
                return


def wander(stack, threads, rounds):
    wanderers = [Wanderer(stack, number, rounds) for number in range(threads)]
    for wanderer in wanderers:
        wanderer.start()
    for wanderer in wanderers:
        wanderer.join()
    wrong = [entry for wanderer in wanderers for entry in wanderer.wrong]
    read = sum(wanderer.read for wanderer in wanderers)
    print(sum(wanderer.sent for wanderer in wanderers), "asked,", read, "answers read")
    assert not wrong, wrong[:3]
    return read


def test_no_byte_goes_to_anybody_else(cache):
    assert wander(cache, threads=8, rounds=40) > 1_000
    assert cache.client("acme").ping() and cache.client("globex").ping()


@pytest.mark.long
def test_no_byte_goes_to_anybody_else_for_a_long_time(cache):
    assert wander(cache, threads=16, rounds=2_500) > 300_000


@pytest.mark.long
def test_millions_of_operations_on_connections_that_break():
    """The same on in-memory connections to Redis, where every byte boundary is met (tests/unit/cache/session_random_test.cc)."""
    binary = pathlib.Path(os.environ.get("PARTYWALL_UNIT_CACHE", REPOSITORY / "build" / "release" / "tests" / "unit_cache"))
    if not binary.exists():
        pytest.skip(f"NOT TESTED: {binary} is not built")
    done = subprocess.run([binary, "--gtest_filter=SessionRandom.*"], env=os.environ | {"PARTYWALL_SIMULATION_SEEDS": "1500"},
                          capture_output=True, text=True, timeout=1200)
    print("\n".join(line for line in done.stdout.splitlines() if "answered" in line))
    assert done.returncode == 0, done.stdout[-3000:]
