"""A Celery application as it is anywhere: broker and results in Redis, the URL from the environment."""
import os

from celery import Celery, chord, group

app = Celery("tasks", broker=os.environ["CACHE_URL"], backend=os.environ["CACHE_URL"])
app.conf.update(result_expires=60, worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)


@app.task
def add(a, b):
    return a + b


@app.task
def total(numbers):
    return sum(numbers)


def sums(count):
    """A group, and a chord over it: what Celery asks most of Redis for."""
    return group(add.s(i, i) for i in range(count)), chord((add.s(i, i) for i in range(count)), total.s())
