"""The shared servers themselves work and leave nothing behind."""
import os

from support.postgres import Postgres
from support.redis_server import RedisServer


def is_running(pid):
    return os.path.exists(f"/proc/{pid}")


def test_postgres_asks_for_scram_and_serves(postgres, database):
    assert postgres.execute("SHOW password_encryption") == [("scram-sha-256",)]
    assert postgres.execute("SELECT current_database()", database) == [(database,)]
    assert postgres.psql("-c", "SELECT 1 + 1", dbname=database).stdout == "2\n"


def test_postgres_restarts_and_ends_without_a_trace():
    with Postgres({"max_connections": "20"}) as server:
        server.execute("CREATE TABLE kept (id int)")
        first = server.pid
        server.restart()
        assert server.pid != first and not is_running(first)
        assert server.execute("SELECT count(*) FROM kept") == [(0,)]
        assert server.execute("SHOW max_connections") == [("20",)]
        last = server.pid
    assert not is_running(last)
    assert not server.folder.exists()


def test_redis_serves_and_ends_without_a_trace(redis_server):
    client = redis_server.client(db=1023)
    assert client.set("a", "1") and client.get("a") == b"1"
    with RedisServer() as other:
        pid = other.pid
        assert other.client().ping()
    assert not is_running(pid)
    assert not other.folder.exists()
