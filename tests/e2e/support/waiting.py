"""Waiting for a condition: no test asserts how long something takes."""
import time


def wait_until(condition, what="it to become so", patience=60):
    """Asks until `condition()` is true, and returns what it was; fails after `patience` seconds, saying `what`."""
    deadline = time.monotonic() + patience
    while not (result := condition()):
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(0.05)
    return result
