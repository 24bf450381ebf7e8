"""A node whose http door lets requests wait: what one tenant's line means for its neighbour."""
import contextlib
import pathlib

import pytest

from support.raw_http import EchoApplication, bearer, request
from support.stack import Node
from support.waiting import wait_until

SCHEMA = (pathlib.Path(__file__).parent / "schema.sql").read_text()
MOST = 10  # requests under way in the free tier, which acme is in


@pytest.fixture(scope="module")
def application():
    server = EchoApplication()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def queueing(stack, application):
    def change(platform):
        for tenant in platform["tenants"]:
            tenant["overrides"] = {"api_rate_limit": {"per_second": 1000, "burst": 1000}}
        platform.setdefault("doors", {}).setdefault("http", {})["queue_timeout"] = "5m"

    node = Node(stack, "queueing", SCHEMA, workers=2, instances=[application.port], change=change)
    yield node
    assert node.stop() == 0


def send_held(stack, node, count, path="/held"):
    connections = [stack.enter_context(node.raw_http()) for _ in range(count)]
    for connection in connections:
        connection.send(request("GET", path, [bearer(node.token("acme")), ("X-Echo-Wait", "300")]))
    return connections


def test_a_line_of_one_tenant_delays_nobody_else(queueing, application):
    """Over two workers acme has ten under way and forty waiting; globex is answered; then acme's are, all of them."""
    application.forget()
    with contextlib.ExitStack() as stack:
        held = send_held(stack, queueing, MOST + 40)
        wait_until(lambda: application.waiting == MOST)
        for _ in range(20):
            answer = stack.enter_context(queueing.raw_http()).request("GET", "/", [bearer(queueing.token("globex"))])
            assert answer.status == 200
        assert application.waiting == MOST, "not one more than the tier allows"
        application.release()
        assert [connection.read_response().status for connection in held] == [200] * len(held)


def test_clients_that_leave_the_line_leave_nothing_behind(queueing, application):
    application.forget()
    with contextlib.ExitStack() as stack:
        held = send_held(stack, queueing, MOST)
        wait_until(lambda: application.waiting == MOST)
        for connection in send_held(stack, queueing, 40):
            connection.abort()
        last = send_held(stack, queueing, 1)[0]
        application.release()
        assert [connection.read_response().status for connection in [*held, last]] == [200] * (MOST + 1)
    application.forget()
    with contextlib.ExitStack() as stack:
        held = send_held(stack, queueing, MOST, "/again")
        # Every unit came back. By what was seen: a request whose client had just left may still wait there.
        wait_until(lambda: [one.target for one in application.requests()].count("/again") == MOST)
        application.release()
        assert {connection.read_response().status for connection in held} == {200}
