"""What a tenant costs Redis: scripts that run too long are ended, time is charged, neighbours go on."""
import contextlib
import copy
import threading
import time

import pytest
import redis
from cache_stack import CacheStack
from resp import ErrorReply, Resp, request
from support.waiting import wait_until

ENDLESS = "while true do end"
# Also while everything is slow: longer than acme may, shorter than a neighbour waits.
WRITES_THEN_RUNS = """
    redis.call('SET', KEYS[1], 1)
    local began = redis.call('TIME')
    repeat
        local now = redis.call('TIME')
    until (now[1] - began[1]) * 1000000 + now[2] - began[2] > 1500000
    return 1"""


def bounded(stack):
    """acme may use little of Redis's time; its neighbour has no limit."""
    tier = copy.deepcopy(stack.platform["tiers"]["fast"])
    tier["cache"] |= {"redis_time": "20ms", "script_time": "300ms"}
    stack.platform["tiers"]["bounded"] = tier
    next(one for one in stack.platform["tenants"] if one["slug"] == "acme")["tier"] = "bounded"
    return stack


@pytest.fixture(params=["database", "prefix"])
def shared(request):
    stack = bounded(CacheStack(mode=request.param))
    yield stack.start()
    assert stack.stop() == 0, "the daemon did not end cleanly"


def counter(stack, name, slug):
    start = f'partywall_cache_{name}_total{{tenant="{slug}"}} '
    return next((float(line[len(start):]) for line in stack.metrics().splitlines() if line.startswith(start)), 0)


def is_refused(stack, slug):
    """Refused because of what it has cost."""
    try:
        stack.client(slug).get("a")
    except redis.ResponseError as error:
        assert "cache.redis_time" in str(error), error
        return True
    return False


@contextlib.contextmanager
def neighbour_at_work(stack, *clients):
    """globex writes and reads all the time; none of it fails or gets lost."""
    done, failures, rounds = threading.Event(), [], [0]

    def work():
        client = stack.client("globex")
        try:
            while not done.is_set():
                rounds[0] += 1
                assert client.set("n", rounds[0]) and client.get("n") == str(rounds[0])
                with client.pipeline(transaction=False) as pipeline:
                    for number in range(20):
                        pipeline.rpush("q", number)
                    pipeline.lpop("q", 100)
                    assert pipeline.execute()[-1] == [str(number) for number in range(20)]
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_until(lambda: failures or rounds[0] > 1, "the neighbour has begun")
        yield rounds
        seen = rounds[0]
        wait_until(lambda: failures or rounds[0] > seen + 1, "the neighbour goes on")
    finally:
        done.set()
        thread.join()
    assert not failures, failures


def test_an_endless_script_is_ended_and_its_tenant_pays_for_it(shared):
    acme = shared.client("acme")
    acme.set("a", 1)
    with neighbour_at_work(shared):
        with pytest.raises(redis.ResponseError, match="Script killed by user"):
            acme.eval(ENDLESS, 0)
        wait_until(lambda: is_refused(shared, "acme"), "acme is held back")
    assert counter(shared, "scripts_ended", "acme") == 1
    assert counter(shared, "redis_microseconds", "acme") >= 300_000
    assert counter(shared, "over_time", "acme") >= 1
    assert counter(shared, "over_time", "globex") == 0 and counter(shared, "scripts_ended", "globex") == 0
    with pytest.raises(redis.ResponseError, match="cache.redis_time"):
        acme.eval(ENDLESS, 0)


def test_a_script_is_ended_whatever_becomes_of_its_client(shared):
    with neighbour_at_work(shared):
        with Resp(shared.port, "acme", shared.secrets["acme"]) as client:
            client.send(request("EVAL", ENDLESS, 0))
            time.sleep(0.05)
        wait_until(lambda: counter(shared, "scripts_ended", "acme") >= 1 or is_refused(shared, "acme"), "it is ended")
        wait_until(lambda: counter(shared, "redis_microseconds", "acme") >= 300_000, "it is charged")


def test_an_endless_function_is_ended(shared):
    """The operator has provided it, and a tenant calls it with what it does not expect."""
    library = """#!lua name=shared
        redis.register_function('count', function(keys, arguments)
            local n = 0
            while n ~= tonumber(arguments[1]) do n = n + 1 end
            return n
        end)"""
    shared.administrator().function_load(library)
    shared.platform["cells"]["main"]["cache"]["functions"] = [{"library": "shared", "functions": [{"name": "count"}]}]
    shared.change_tenant("acme")
    acme = shared.client("acme")
    wait_until(lambda: provides(acme, "count"), "the function")
    with neighbour_at_work(shared):
        with pytest.raises(redis.ResponseError, match="Script killed by user"):
            acme.fcall("count", 0, -1)
        wait_until(lambda: is_refused(shared, "acme"), "acme is held back")
    assert counter(shared, "scripts_ended", "acme") == 1 and counter(shared, "scripts_ended", "globex") == 0
    assert shared.client("globex").fcall("count", 0, 10) == 10


def provides(client, name):
    try:
        return client.fcall(name, 0, 1) == 1
    except redis.ResponseError as error:
        assert "is not provided here" in str(error)
        return False


def test_a_script_in_a_transaction_is_ended_too(shared):
    with neighbour_at_work(shared), Resp(shared.port, "acme", shared.secrets["acme"]) as client:
        client.send(request("MULTI") + request("EVAL", ENDLESS, 0) + request("EXEC"))
        assert client.read() == b"OK" and client.read() == b"QUEUED"
        assert "Script killed by user" in client.read()[0]
    assert counter(shared, "scripts_ended", "acme") == 1


def test_a_script_that_catches_errors_is_ended_too(shared):
    with neighbour_at_work(shared), pytest.raises(redis.ResponseError, match="Script killed by user"):
        shared.client("acme").eval("while true do pcall(function() while true do end end) end", 0)


def test_a_script_that_has_written_runs_to_its_end_and_is_paid_for(shared):
    acme = shared.client("acme")
    with neighbour_at_work(shared):
        assert acme.eval(WRITES_THEN_RUNS, 1, "a") == 1
        wait_until(lambda: is_refused(shared, "acme"), "acme is held back")
    assert counter(shared, "scripts_not_ended", "acme") == 1 and counter(shared, "scripts_ended", "acme") == 0
    assert counter(shared, "sent_again", "globex") >= 1, "the neighbour waited, and noticed nothing else"


def test_a_neighbours_script_that_may_run_is_not_ended(shared):
    """Though acme's own has to wait for it."""
    globex = shared.client("globex")

    def waits_for_it():
        with contextlib.suppress(redis.ResponseError):
            shared.client("acme").eval("return 1", 0)

    thread = threading.Thread(target=waits_for_it)
    thread.start()
    assert globex.eval(WRITES_THEN_RUNS.replace("redis.call('SET', KEYS[1], 1)", ""), 1, "a") == 1
    thread.join()
    assert counter(shared, "scripts_ended", "globex") == 0


def test_slow_commands_are_charged_and_held_back(shared):
    acme = shared.client("acme")
    for _ in range(20):
        with contextlib.suppress(redis.ResponseError):
            acme.rpush("l", *range(5000))
    with neighbour_at_work(shared):
        def sorts():
            with contextlib.suppress(redis.ResponseError):
                acme.sort("l", alpha=True, start=0, num=1)
            return is_refused(shared, "acme")
        wait_until(sorts, "SORT is charged")
    assert counter(shared, "redis_microseconds", "acme") > 0


def test_a_neighbour_does_not_wait_behind_a_flood_of_slow_commands(shared):
    """acme may use as much of Redis's time as there is, and has 600 slow commands under way at once."""
    flood, rounds = 600, 8
    shared.change_tenant("acme", overrides={"cache": {"redis_time": "1s"}})
    acme, globex = shared.client("acme"), shared.client("globex")
    acme.rpush("l", *range(5000))
    globex.set("n", 1)
    answered, threads = [], []

    def sort(client, count):
        client.send(request("SORT", "l", "ALPHA", "LIMIT", 0, 1) * count)
        for _ in range(count):
            assert client.read() == [b"0"]
            answered.append(1)

    with contextlib.ExitStack() as stack:
        for _ in range(12):
            client = stack.enter_context(Resp(shared.port, "acme", shared.secrets["acme"]))
            threads.append(threading.Thread(target=sort, args=(client, flood // 12)))
            threads[-1].start()
        wait_until(lambda: answered, "the flood has begun")
        for _ in range(rounds):
            assert globex.get("n") == "1"
        assert len(answered) < flood, "the neighbour had its turns in between"
        for thread in threads:
            thread.join()
    assert len(answered) == flood and counter(shared, "queued", "acme") > 0 and counter(shared, "queued", "globex") == 0


def test_what_is_held_back_goes_on_later(shared):
    shared.change_tenant("acme", overrides={"cache": {"redis_time": "500ms", "script_time": "300ms"}})
    acme = shared.client("acme")
    with pytest.raises(redis.ResponseError, match="Script killed by user"):
        acme.eval(ENDLESS, 0)
    def works():
        try:
            return acme.set("a", 1)
        except redis.ResponseError as error:
            assert "cache.redis_time" in str(error)
            return False
    wait_until(works, "acme may go on")


def test_nobody_but_the_watch_may_end_scripts_and_it_may_do_nothing_else(shared):
    administrator = shared.administrator()
    for words in (("GET", "a"), ("SELECT", "1"), ("CONFIG", "GET", "*"), ("SLOWLOG", "RESET"), ("SCRIPT", "FLUSH"),
                  ("CLIENT", "LIST"), ("ACL", "LIST"), ("KEYS", "*"), ("FUNCTION", "DUMP")):
        assert "no permissions" in administrator.execute_command("ACL", "DRYRUN", "partywall-watch", *words), words
    for words in (("SCRIPT", "KILL"), ("FUNCTION", "KILL"), ("SLOWLOG", "GET")):
        assert administrator.execute_command("ACL", "DRYRUN", "partywall-watch", *words) == "OK"
        for user in (shared.tenant_user("acme")[0], "door", "partywall-subscriber"):
            assert "no permissions" in administrator.execute_command("ACL", "DRYRUN", user, *words), (user, words)
    with Resp(shared.port, "acme", shared.secrets["acme"]) as client:
        for words in (("SCRIPT", "KILL"), ("FUNCTION", "KILL")):
            assert isinstance(client.ask(*words), ErrorReply)


def test_a_tenant_cannot_have_its_time_charged_to_another(shared):
    """Redis's slow log tells tenants apart by the names of connections."""
    name = shared.tenant_user("globex")[0]
    with Resp(shared.port, "acme", shared.secrets["acme"]) as client:
        client.ask("CLIENT", "SETNAME", name)
        client.ask("HELLO", 2, "AUTH", "acme", shared.secrets["acme"], "SETNAME", name)
        for script in (f"return redis.call('CLIENT', 'SETNAME', '{name}')", f"return redis.call('HELLO', '2', 'SETNAME', '{name}')"):
            assert isinstance(client.ask("EVAL", script, 0), ErrorReply)
        assert "Script killed" in client.ask("EVAL", ENDLESS, 0)
    wait_until(lambda: counter(shared, "redis_microseconds", "acme") >= 300_000, "acme is charged")
    assert counter(shared, "redis_microseconds", "globex") < 300_000 and not is_refused(shared, "globex")
