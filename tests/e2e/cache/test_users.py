"""The ACL users of a Redis: rotated without an interruption, and restored when they are lost."""
import secrets

import pytest
import redis
from cache_stack import CacheStack
from support.sentinel_set import wait_for


def write_secret(stack, name, value):
    path = stack.folder / name
    path.write_text(value)
    path.chmod(0o600)


def reload(stack):
    stack.change_tenant("acme")


def logins(stack, name):
    return len(stack.administrator().acl_getuser(name)["passwords"])


def test_keys_rotate_while_clients_go_on(own_stack):
    cell = own_stack.platform["cells"]["main"]["cache"]
    client = own_stack.client("acme")
    client.set("a", 1)
    old = dict(own_stack.passwords)
    for name in ("tenants", "door"):
        own_stack.passwords[name] = secrets.token_hex(32)
        write_secret(own_stack, name, own_stack.passwords[name])
        write_secret(own_stack, f"old-{name}", old[name])
    cell |= {"previous_tenant_password_file": "old-tenants", "previous_door_password_file": "old-door"}
    own_stack._write()
    own_stack.provision()
    # The node still works with the old ones.
    assert logins(own_stack, "door") == 2 and client.incr("a") == 2
    own_stack.administrator().client_kill_filter(_type="normal")
    wait_for(lambda: own_stack.client("acme").incr("a"), "the old passwords")
    reload(own_stack)
    assert client.get("a")
    for key in ("previous_tenant_password_file", "previous_door_password_file"):
        del cell[key]
    own_stack._write()
    own_stack.provision()
    reload(own_stack)
    assert logins(own_stack, "door") == 1
    assert own_stack.client("acme").get("a")
    user, password = own_stack.tenant_user("acme")
    assert redis.Redis(port=own_stack.redis.port, username=user, password=password).ping()
    own_stack.passwords["tenants"] = old["tenants"]
    with pytest.raises(redis.ResponseError, match="WRONGPASS"):
        redis.Redis(port=own_stack.redis.port, username=user, password=own_stack.tenant_user("acme")[1]).ping()


def test_a_redis_without_its_users_is_named_and_healed_by_an_administrator(own_stack):
    client = own_stack.client("acme")
    client.set("a", 1)
    own_stack.redis.restart()  # there is no ACL file
    with pytest.raises(redis.ResponseError, match="cannot be reached"):
        client.get("a")
    wait_for(lambda: "Redis refuses a login of the cache door" in own_stack.process.log(), "the log")
    assert "partywall cache provision" in own_stack.process.log()
    with pytest.raises(redis.ResponseError, match="cannot be reached"):
        client.get("a")
    own_stack.platform["cells"]["main"]["cache"]["administrator"] = {"user": "administrator", "password_file": "administrator"}
    reload(own_stack)

    def works():
        return client.get("a") is None and own_stack.client("globex").set("b", 2)
    wait_for(works, "the door to make the users again")
    assert "off" in own_stack.administrator().acl_getuser("default")["flags"]


def test_healing_removes_nobody(own_stack):
    """A node whose directory is old must not undo what a newer one has made."""
    own_stack.platform["cells"]["main"]["cache"]["administrator"] = {"user": "administrator", "password_file": "administrator"}
    reload(own_stack)
    administrator = own_stack.administrator()
    administrator.acl_setuser("partywall-tenant-of-a-newer-directory", enabled=True, passwords=["+x"])
    administrator.acl_deluser("door")
    wait_for(lambda: own_stack.client("acme").ping(), "the door")
    assert "partywall-tenant-of-a-newer-directory" in administrator.acl_users()


def test_several_redis_in_one_cell():
    """Tenants of the same database number in two instances do not meet."""
    from support.redis_server import RedisServer
    with RedisServer() as second:
        stack = CacheStack(place=lambda first: {"instances": [{"name": "one", "address": "127.0.0.1", "port": first.port},
                                                              {"name": "two", "address": "127.0.0.1", "port": second.port}]})
        for tenant in stack.platform["tenants"]:
            tenant["cache_database"] = 1 if tenant["slug"] != "slow" else 2
            tenant["cache_instance"] = "two" if tenant["slug"] == "globex" else "one"
        stack.start()
        try:
            acme, globex = stack.client("acme"), stack.client("globex")
            acme.set("a", "of acme")
            assert globex.get("a") is None
            globex.set("a", "of globex")
            assert acme.get("a") == "of acme"
            at_second = redis.Redis(port=second.port, username="administrator", password=stack.passwords["administrator"], db=1)
            assert at_second.get("a") == b"of globex"
            assert sum(user.startswith("partywall-tenant") for user in at_second.acl_users()) == 1
            second.stop()
            assert acme.get("a") == "of acme"
            with pytest.raises(redis.ResponseError):
                globex.get("a")
        finally:
            stack.stop()
