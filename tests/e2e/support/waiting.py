"""Waiting for a condition: no test asserts how long something takes."""
import time


def wait_until(condition, what="it to become so", patience=60):
    """Asks until `condition()` is true, and returns what it was; fails after `patience` seconds, saying `what`."""
    deadline, pause = time.monotonic() + patience, 0.01
    while not (result := condition()):
        assert time.monotonic() < deadline, f"still waiting for {what}"
        time.sleep(pause)
        pause = min(1.5 * pause, 0.2)  # asking costs the server that is waited for
    return result
