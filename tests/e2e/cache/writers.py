"""Clients that go on writing while servers fail, and remember what they were told."""
import threading
import uuid

import redis
from resp import ErrorReply, Resp

UNKNOWN = "the outcome is not known"
NEVER_SENT = ("cannot be reached", "no Sentinel has said", "no node of the Redis Cluster has", "TRYAGAIN", "READONLY", "LOADING",
              "CLUSTERDOWN", "MASTERDOWN", "BUSY a script")


class Writer(threading.Thread):
    """One connection, which must survive; appends one number after the other to a list of its own."""

    def __init__(self, stack, slug, number):
        super().__init__(daemon=True)
        self.key = f"list-{number}-{uuid.uuid4()}"
        self.slug = slug
        self._connection = Resp(stack.port, slug, stack.secrets[slug])
        self._stopped = threading.Event()
        self.acknowledged, self.unknown, self.refused = set(), set(), set()
        self.problem = None
        self.last_good = -1
        self.next = 0

    def run(self):
        try:
            while not self._stopped.is_set():
                self._write()
        except Exception as error:  # reported by finish(), in the test's own thread
            self.problem = error

    def _write(self):
        number, self.next = self.next, self.next + 1
        reply = self._connection.ask("RPUSH", self.key, f"{self.slug}:{number}")
        if isinstance(reply, int):
            self.acknowledged.add(number)
            self.last_good = number
        elif isinstance(reply, ErrorReply) and UNKNOWN in reply:
            self.unknown.add(number)
        else:
            assert isinstance(reply, ErrorReply) and any(text in reply for text in NEVER_SENT), reply
            self.refused.add(number)
            self._stopped.wait(0.02)

    def finish(self):
        """Stops it, and gives its ledger's list as Redis has it now."""
        self._stopped.set()
        self.join(30)
        assert not self.is_alive(), f"{self.key} of {self.slug} still waits for an answer"
        if self.problem:
            raise AssertionError(f"{self.key} of {self.slug}") from self.problem
        entries = [entry.decode().split(":") for entry in self._connection.ask("LRANGE", self.key, 0, -1)]
        self._connection.close()
        assert all(slug == self.slug for slug, _ in entries), "another tenant's bytes"
        return [int(number) for _, number in entries]

    def check(self, may_lose):
        """Nothing is there twice, nothing that was refused is there. What was acknowledged is there, unless the server
        that took it died with it before a replica had it."""
        found = self.finish()
        assert len(found) == len(set(found)), "a write was repeated"
        assert not self.refused & set(found), "a write that was said not to have been done was done"
        assert set(found) <= self.acknowledged | self.unknown
        if not may_lose:
            assert self.acknowledged <= set(found)


class Pool:
    """Threads of an application that take their connections to one tenant from a pool, as clients' libraries do. Each
    has a key of its own."""

    def __init__(self, stack, slug, threads=6):
        self.slug = slug
        self._client = stack.client(slug, max_connections=threads)
        self._stopped = threading.Event()
        self.rounds, self.problems = [0] * threads, []
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        try:
            while not self._stopped.is_set():
                self._round(number)
        except Exception as error:  # reported by finish(), in the test's own thread
            self.problems.append(error)

    def _round(self, number):
        """Redis's answers to this thread's own questions, or errors that say so."""
        key, value = f"pool-{number}", f"{self.slug}:{number}:{self.rounds[number] + 1}"
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.set(key, value).get(key).echo(value)
            stored, found, echoed = pipeline.execute(raise_on_error=False)
        for answer in (stored, found, echoed):
            if isinstance(answer, redis.ResponseError):
                assert any(text in str(answer) for text in (*NEVER_SENT, UNKNOWN, "UNBLOCKED")), answer
            elif isinstance(answer, Exception):
                raise answer
        if isinstance(found, str):
            assert found.startswith(f"{self.slug}:{number}:"), (found, value)
        if isinstance(echoed, str):
            assert echoed == value
        if stored is True and found == value:
            self.rounds[number] += 1
        else:
            self._stopped.wait(0.02)

    def finish(self):
        self._stopped.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), f"a thread of {self.slug} still waits for an answer"
        self._client.close()
        if self.problems:
            raise AssertionError(f"the pool of {self.slug}") from self.problems[0]

    def progressed(self):
        before = list(self.rounds)
        return lambda: self.problems or all(now > old for now, old in zip(self.rounds, before))


def start_writers(stack, slugs=("acme", "globex"), each=4):
    writers = [Writer(stack, slug, number) for slug in slugs for number in range(each)]
    for writer in writers:
        writer.start()
    return writers


def progressed(writers):
    """A function that is true when every writer has had another write acknowledged since now."""
    before = [writer.next for writer in writers]
    return lambda: all(writer.last_good > old or writer.problem for writer, old in zip(writers, before))
