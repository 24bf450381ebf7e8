"""cache.scripts of a tier: a tenant that may run no scripts runs none, and is told why."""
import contextlib

import pytest
import redis

SCRIPT = "return redis.call('INCR', KEYS[1]) -- of this test alone"


@contextlib.contextmanager
def allowed(cache, slug, scripts):
    """What the tenant may have Redis run meanwhile."""
    cache.change_tenant(slug, overrides={"cache": {"scripts": scripts}})
    try:
        yield
    finally:
        cache.change_tenant(slug, overrides={})
        cache.provision()


def commands_of(cache, slug):
    return cache.administrator().acl_getuser(cache.tenant_user(slug)[0])["commands"]


def test_a_tenant_without_scripts_runs_none_and_is_told_why(cache):
    acme, globex = cache.client("acme"), cache.client("globex")
    script = acme.register_script(SCRIPT)
    assert script(keys=["n"]) == 1
    lock = acme.lock("l", timeout=60)
    assert lock.acquire(blocking=False)
    with allowed(cache, "acme", "none"):
        for attempt in (lambda: script(keys=["n"]), lambda: acme.eval(SCRIPT, 1, "n"), lambda: acme.script_load(SCRIPT),
                        lambda: acme.execute_command("EVAL_RO", "return 1", 0), lambda: acme.execute_command("FCALL", "f", 0),
                        lambda: acme.execute_command("FUNCTION", "LOAD", "x"), lambda: acme.script_exists("x"), lock.release):
            with pytest.raises(redis.ResponseError, match="not available here") as refused:
                attempt()
        assert "`cache.scripts: none` for tenant acme" in str(refused.value)
        assert acme.get("n") == "1" and acme.incr("n") == 2, "everything else goes on, on the same connection"
        assert globex.eval(SCRIPT, 1, "n") == 1
        # Redis refuses it too, as soon as it is provisioned; but for what the door itself does there in database mode.
        cache.provision()
        user, password = cache.tenant_user("acme")
        direct = redis.Redis(port=cache.redis.port, username=user, password=password)
        refused = ["EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"] + (["EVAL"] if cache.mode == "prefix" else [])
        for command in refused:
            with pytest.raises(redis.exceptions.NoPermissionError):
                direct.execute_command(command, "return 1", 0)
        assert "+evalsha" in commands_of(cache, "globex")
        assert acme.get("n") == "2" and acme.dbsize() == 2
    assert script(keys=["n"]) == 3


def test_what_was_queued_before_does_not_run_after(cache):
    acme = cache.client("acme", single_connection_client=True)
    assert acme.execute_command("MULTI") == "OK"
    assert acme.execute_command("EVAL", SCRIPT, 1, "n") == "QUEUED"
    with allowed(cache, "acme", "functions"):
        with pytest.raises(redis.exceptions.ExecAbortError):
            acme.execute_command("EXEC")
        assert acme.get("n") is None
