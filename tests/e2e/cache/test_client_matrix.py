"""Applications and clients of others, unmodified: ioredis, node-redis, hiredis, Celery, Django, redis-py's asyncio side."""
import asyncio
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import redis.asyncio
from support.javascript import javascript_clients
from support.processes import Process

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="session")
def node_modules():
    """The JavaScript clients, installed."""
    return javascript_clients("tests/e2e/cache/js")


@pytest.mark.parametrize("client", ["ioredis", "node-redis"])
def test_javascript_clients(cache, node_modules, client):
    done = subprocess.run(["node", HERE / "js" / f"{client}.js", str(cache.port), "acme", cache.secrets["acme"]],
                          env=os.environ | {"NODE_PATH": node_modules}, capture_output=True, text=True, timeout=60)
    assert done.stdout == "ok\n", done.stdout + done.stderr
    assert cache.client("globex").dbsize() == 0


def url(cache, slug, database=0):
    return f"redis://{slug}:{cache.secrets[slug]}@127.0.0.1:{cache.port}/{database}"


def test_a_celery_worker_of_each_of_two_tenants(cache, tmp_path):
    """The same queue names and task ids' space: only the login says whose they are."""
    pytest.importorskip("celery", reason="NOT TESTED: python3-celery is not installed")
    script = (
        "import celery_tasks as t; group, chord = t.sums(30); "
        "results = group.apply_async().get(timeout=60); assert results == [2 * i for i in range(30)], results; "
        "assert chord.apply_async().get(timeout=60) == 870; print('ok')")
    workers = []
    try:
        for slug in ("acme", "globex"):
            environment = os.environ | {"CACHE_URL": url(cache, slug), "PYTHONPATH": str(HERE / "apps")}
            worker = Process([sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "-c", "2", "-P", "threads",
                              "-n", f"{slug}@test", "--without-mingle"], tmp_path / slug, env=environment)
            workers.append((slug, worker, environment))
        for slug, worker, environment in workers:
            done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120)
            assert done.stdout == "ok\n", done.stdout + done.stderr + worker.log()[-2000:]
        assert all(cache.client(slug).keys("celery-task-meta-*") for slug, _, _ in workers)
    finally:
        for _, worker, _ in workers:
            worker.stop()


def test_djangos_cache(cache):
    pytest.importorskip("django_redis", reason="NOT TESTED: python3-django-redis is not installed")
    cache.client("globex").set(":1:dj:a", "not yours")
    done = subprocess.run([sys.executable, HERE / "apps" / "django_cache.py"], env=os.environ | {"CACHE_URL": url(cache, "acme")},
                          capture_output=True, text=True, timeout=60)
    assert done.stdout == "ok\n", done.stdout + done.stderr
    assert cache.client("globex").get(":1:dj:a") == "not yours"


def test_hiredis(cache, tmp_path):
    if not pathlib.Path("/usr/include/hiredis/hiredis.h").exists():
        pytest.skip("NOT TESTED: libhiredis-dev is not installed")
    program = tmp_path / "hiredis"
    compiler = shutil.which("cc") or shutil.which("clang-19")
    subprocess.run([compiler, HERE / "apps" / "hiredis.c", "-o", program, "-lhiredis"], check=True, capture_output=True, timeout=60)
    done = subprocess.run([program, str(cache.port), "acme", cache.secrets["acme"]], capture_output=True, text=True, timeout=60)
    assert done.stdout == "ok\n", done


def test_redis_py_with_asyncio(cache):
    async def work():
        client = redis.asyncio.Redis(port=cache.port, username="acme", password=cache.secrets["acme"], decode_responses=True)
        assert await client.set("a", 1) and await client.get("a") == "1"
        numbers = await asyncio.gather(*(client.incr("n") for _ in range(200)))
        assert sorted(numbers) == list(range(1, 201))
        async with client.pipeline(transaction=True) as pipe:
            assert await pipe.incr("m").incr("m").execute() == [1, 2]
        popped = asyncio.create_task(client.blpop("q", timeout=10))
        await client.rpush("q", "job")
        assert await popped == ("q", "job")
        async with client.pubsub() as listener:
            await listener.subscribe("news")
            assert (await listener.get_message(timeout=5))["type"] == "subscribe"
            assert await client.publish("news", "hello") == 1
            assert (await listener.get_message(timeout=5))["data"] == "hello"
        await client.close()

    asyncio.run(work())
