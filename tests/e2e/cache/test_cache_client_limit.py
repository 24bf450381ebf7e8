"""No tenant takes all connections of the door, however it logs in."""
import pytest
import redis
from cache_stack import CacheStack
from resp import ErrorReply, Resp
from support.sentinel_set import wait_for

SEATS = 3


@pytest.fixture(scope="module", params=["database", "prefix"])
def limited(request):
    stack = CacheStack(mode=request.param)
    stack.platform["doors"]["cache"]["max_tenant_connections"] = SEATS
    stack.start()
    yield stack
    assert stack.stop() == 0, "the daemon did not end cleanly"


def held_by(stack, slug):
    return [Resp(stack.port, slug, stack.secrets[slug]) for _ in range(SEATS)]


def close_all(stack, connections):
    for connection in connections:
        connection.close()
    wait_for(lambda: stack.connections() == 0, "the door to notice")


def test_a_tenants_connections_are_bounded_and_its_neighbours_are_not_concerned(limited):
    held = held_by(limited, "acme")
    for words in (("AUTH", "acme", limited.secrets["acme"]), ("AUTH", f"acme:{limited.secrets['acme']}"),
                  ("HELLO", "3", "AUTH", "acme", limited.secrets["acme"]), ("AUTH", "app", limited.context("acme"))):
        with Resp(limited.port) as one_more:
            answer = one_more.ask(*words)
            assert isinstance(answer, ErrorReply) and answer.startswith("LIMIT ") and str(SEATS) in answer and one_more.is_closed()
    assert all(connection.ask("PING") in ("PONG", b"PONG") for connection in held), "those that are there stay"
    neighbours = held_by(limited, "globex")
    assert neighbours[-1].ask("SET", "a", 1) in ("OK", b"OK")
    close_all(limited, held + neighbours)


def test_a_seat_is_given_back_by_whoever_leaves_or_becomes_somebody_else(limited):
    held = held_by(limited, "acme")
    assert held[0].ask("AUTH", "globex", limited.secrets["globex"]) in ("OK", b"OK")
    held.append(Resp(limited.port, "acme", limited.secrets["acme"]))
    with Resp(limited.port) as one_more:
        assert one_more.ask("AUTH", "acme", limited.secrets["acme"]).startswith("LIMIT ")
    assert held[1].ask("AUTH", "acme", limited.secrets["acme"]) in ("OK", b"OK"), "the same tenant again is no other client"
    assert held[1].ask("AUTH", "acme", "wrong").startswith("WRONGPASS"), "and gives up its seat"
    held.append(Resp(limited.port, "acme", limited.secrets["acme"]))
    held.pop().close()
    wait_for(lambda: comes_in(limited), "the seat of a client that has gone")
    close_all(limited, held)


def comes_in(stack):
    client = stack.client("acme")
    try:
        return client.ping()
    except redis.RedisError:
        return False
    finally:
        client.close()
