"""One tenant's commands never reach another tenant's keys, connections or server."""
import pytest

from support.raw_resp import ErrorReply, command

LOCATION = "local leak = package.loadlib('/usr/lib/x86_64-linux-gnu/liblua5.1.so.0', 'luaopen_io'); return leak()"

# name: (commands of acme, what they do to a Redis without a door: "reads" or "changes" globex's, or None where a
# plain Redis refuses or harms nobody, too). `2` is globex's database, `secret` its key.
ATTACKS = {
    "SELECT": ([("SELECT", 2), ("GET", "secret")], "reads"),
    "SELECT in lower case": ([("sElEcT", "2"), ("get", "secret")], "reads"),
    "SELECT in MULTI": ([("MULTI",), ("SELECT", 2), ("GET", "secret"), ("EXEC",)], "reads"),
    "SELECT in EVAL": ([("EVAL", "redis.call('SELECT', 2) return redis.call('GET', 'secret')", 0)], "reads"),
    "SELECT in EVAL, then GET": ([("EVAL", "return redis.pcall('SELECT', 2)", 0), ("GET", "secret")], None),
    "SELECT in EVAL in MULTI": ([("MULTI",), ("EVAL", "redis.call('SELECT', 2) return redis.call('GET', 'secret')", 0),
                                 ("EXEC",)], "reads"),
    "SELECT in EVALSHA": ([("SCRIPT", "LOAD", "redis.call('SELECT', 2) return redis.call('GET', 'secret')"),
                           ("EVALSHA", "f00dfb2c2b3e32e3c4f2c9d7a4d4fe0a8b3d1f7a", 0)], None),
    "SELECT in FUNCTION": ([("FUNCTION", "LOAD", "#!lua name=x\nredis.register_function('f', function() "
                             "redis.call('SELECT', 2) return redis.call('GET', 'secret') end)"), ("FCALL", "f", 0)], "reads"),
    "SWAPDB": ([("SWAPDB", 1, 2), ("GET", "secret")], "reads"),
    "SWAPDB in EVAL": ([("EVAL", "return redis.call('SWAPDB', 1, 2)", 0), ("GET", "secret")], "reads"),
    "MOVE": ([("SET", "planted", "x"), ("MOVE", "planted", 2)], "changes"),
    "MOVE in EVAL": ([("SET", "planted", "x"), ("EVAL", "return redis.call('MOVE', 'planted', 2)", 0)], "changes"),
    "COPY DB": ([("SET", "planted", "x"), ("COPY", "planted", "secret", "DB", 2, "REPLACE")], "changes"),
    "COPY DB in EVAL": ([("SET", "planted", "x"),
                         ("EVAL", "return redis.call('COPY', 'planted', 'secret', 'DB', 2, 'REPLACE')", 0)], "changes"),
    "FLUSHALL": ([("FLUSHALL",)], "changes"),
    "FLUSHALL SYNC": ([("FLUSHALL", "SYNC")], "changes"),
    "FLUSHALL in EVAL": ([("EVAL", "return redis.call('FLUSHALL')", 0)], "changes"),
    "FLUSHDB": ([("FLUSHDB",)], None),
    "RESET": ([("RESET",), ("SELECT", 2), ("GET", "secret")], "reads"),
    "RESET and default user": ([("RESET",), ("AUTH", ""), ("SELECT", 2), ("GET", "secret")], "reads"),
    "AUTH default": ([("AUTH", "default", ""), ("SELECT", 2), ("GET", "secret")], "reads"),
    "HELLO AUTH default": ([("HELLO", 3, "AUTH", "default", "", "SETNAME", "x"), ("SELECT", 2), ("GET", "secret")], "reads"),
    "KEYS": ([("KEYS", "*"), ("SCAN", 0, "COUNT", 10000), ("RANDOMKEY",), ("GET", "secret")], None),
    "SORT GET": ([("RPUSH", "list", 1), ("SORT", "list", "BY", "nosort", "GET", "secret"),
                  ("SORT", "list", "GET", "sec*t")], None),
    "MIGRATE": ([("SET", "planted", "x"), ("MIGRATE", "127.0.0.1", "{redis}", "planted", 2, 1000, "COPY")], "changes"),
    "OBJECT and DEBUG": ([("DEBUG", "OBJECT", "secret"), ("DEBUG", "RELOAD"), ("DEBUG", "SLEEP", 0)], None),
    "CONFIG GET": ([("CONFIG", "GET", "requirepass"), ("CONFIG", "GET", "*pass*"), ("CONFIG", "GET", "dir")], None),
    "CONFIG SET": ([("CONFIG", "SET", "maxmemory", "1mb"), ("CONFIG", "SET", "dbfilename", "x")], None),
    "ACL": ([("ACL", "SETUSER", "default", "on", "nopass", "~*", "&*", "+@all"), ("ACL", "LIST"), ("ACL", "GETUSER", "default"),
             ("ACL", "LOAD"), ("ACL", "DELUSER", "x"), ("ACL", "LOG"), ("ACL", "USERS")], None),
    "SCRIPT": ([("SCRIPT", "FLUSH"), ("SCRIPT", "KILL"), ("SCRIPT", "DEBUG", "YES")], None),
    "FUNCTION": ([("FUNCTION", "FLUSH"), ("FUNCTION", "DUMP"), ("FUNCTION", "LIST"), ("FUNCTION", "KILL")], None),
    "server": ([("SAVE",), ("BGSAVE",), ("BGREWRITEAOF",), ("LATENCY", "RESET"), ("SLOWLOG", "GET", 100), ("MEMORY", "STATS"),
                ("SLOWLOG", "RESET"), ("MODULE", "LOAD", "/tmp/x.so"), ("LASTSAVE",), ("SHUTDOWN", "NOSAVE")], None),
    "replication": ([("REPLICAOF", "127.0.0.1", 1), ("SLAVEOF", "NO", "ONE"), ("PSYNC", "?", -1), ("SYNC",),
                     ("REPLCONF", "listening-port", 1), ("FAILOVER",)], None),
    "cluster": ([("CLUSTER", "RESET"), ("CLUSTER", "NODES"), ("ASKING",), ("READONLY",)], None),
    "clients": ([("CLIENT", "LIST"), ("CLIENT", "PAUSE", 10000), ("CLIENT", "KILL", "TYPE", "normal"), ("CLIENT", "UNPAUSE"),
                 ("CLIENT", "UNBLOCK", 1), ("CLIENT", "NO-EVICT", "on")], None),
    "sandbox of Lua": ([("EVAL", LOCATION, 0), ("EVAL", "return io.open('/etc/passwd'):read()", 0),
                        ("EVAL", "return os.execute('true')", 0), ("EVAL", "redis.setresp(3) return redis.call('ACL', 'LIST')", 0),
                        ("EVAL", "return redis.call('CONFIG', 'GET', '*')", 0),
                        ("EVAL", "return redis.call('PUBLISH', 'tenant:x', 'y')", 0)], None),
    "payload for RESTORE": ([("RESTORE", "k", 0, b"\xc3\x09\x40\x05"), ("RESTORE-ASKING", "k", 0, b"x")], None),
    "what nobody knows": ([("SECRETCOMMAND", "x"), ("",), ("GET\r\nSELECT 2", "secret"), ("GET\0", "secret")], None),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_of_the_neighbour_is_read_or_changed(walls, name):
    walls.attack(ATTACKS[name][0])


@pytest.mark.parametrize("name", [name for name, (_, harm) in ATTACKS.items() if harm])
def test_the_same_harms_without_the_door(plain_redis, name):
    """The control: these attacks are real, and the oracle above notices them."""
    commands, harm = ATTACKS[name]
    assert plain_redis.harm_of(commands, patience=20) == {harm}


@pytest.mark.parametrize("secret_of", ["acme", "globex"])
def test_login_of_the_neighbour_needs_its_secret(lab, secret_of):
    _, secret = lab.cache_login(secret_of)
    with lab.raw_cache() as connection:
        answer = connection.command("AUTH", "globex", secret)
        assert (answer == b"OK") == (secret_of == "globex")
        value = connection.command("PING")
        assert (value == b"PONG") == (secret_of == "globex")


def test_users_of_redis_itself_are_nobody_at_the_door(lab):
    """Neither the names that the door uses at Redis nor their form let anybody in."""
    cell = lab.platform["cells"][lab.cell_name]["cache"]
    users = [row.split()[1] for row in lab.redis_administrator().acl_list()]
    assert cell["door_user"] in users
    for user in [*users, "default", "", "globex\0", "GLOBEX", " globex", lab.tenant_id("globex")]:
        for secret in ("", "x", lab.cache_login("acme")[1]):
            with lab.raw_cache("acme") as connection:
                assert isinstance(connection.command("AUTH", user, secret), ErrorReply), (user, secret)
                assert isinstance(connection.command("GET", "x"), ErrorReply), "a refused login leaves one nobody"


def test_no_command_before_the_login(walls):
    walls.attack([("GET", "secret"), ("SELECT", 2), ("EVAL", "return 1", 0), ("SUBSCRIBE", "x"), ("MULTI",), ("EXEC",)], login=None)


@pytest.mark.parametrize("text", [
    b"SELECT 2\r\nGET secret\r\n",
    b"PING\r\nSELECT 2\nGET secret\n",
    b'"SELECT" "2"\r\n"GET" "\\x73ecret"\r\n',
    command("PING") + b"SELECT 2\r\n" + command("GET", "secret"),
])
def test_inline_commands(walls, plain_redis, text):
    walls.attack_raw(text)
    assert plain_redis.harm_of_raw(text) == {"reads"}


@pytest.mark.parametrize("text", [
    b"GET / HTTP/1.1\r\nHost: redis\r\n\r\nGET secret\r\n",
    b"POST / HTTP/1.1\r\nHost: redis\r\nContent-Length: 30\r\n\r\nSELECT 2\r\nGET secret\r\n",
    b"\x00\x00\x00\x08\x04\xd2\x16\x2f" + command("GET", "secret"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + command("GET", "secret"),
    b"*2\r\n$6\r\nSELECT\r\n$9999999999999\r\n2\r\n",
    b"*2\r\n$6\r\nSELECT\r\n$-1\r\n",
    b"*1000000000\r\n$6\r\nSELECT\r\n",
    b"*-5\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n*2\r\n$3\r\nGET\r\n$6\r\nsecret\r\n",
    b"*2\r\n$3\r\nGET\r\n$7\r\nsecret\r\n\r\n",
    b"*2\r\n$03\r\nGET\r\n$+6\r\nsecret\r\n",
    b"*2\r\n+GET\r\n$6\r\nsecret\r\n",
    b"*1\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n",
    b"$3\r\nGET\r\n:1\r\n%1\r\n>1\r\n",
    b"A" * 200_000,
    b"\r\n" * 50_000 + command("SELECT", 2) + command("GET", "secret"),
])
def test_what_is_no_redis_protocol(walls, text):
    """HTTP, PostgreSQL, TLS, lying lengths: refused or taken as what it is, never as something of the neighbour's."""
    walls.attack_raw(text)


def test_a_refusal_says_nothing_of_others(lab):
    """INFO, CLIENT LIST, ROLE and the like are answered for the tenant alone."""
    neighbour = lab.cache("globex", client_name="neighbour-name")
    neighbour.set("secret", "x")
    with lab.raw_cache("acme") as connection:
        for words in (("INFO",), ("INFO", "all"), ("INFO", "keyspace"), ("CLIENT", "LIST"), ("CLIENT", "INFO"), ("ROLE",),
                      ("ACL", "WHOAMI"), ("CONFIG", "GET", "*"), ("PUBSUB", "CHANNELS"), ("COMMAND", "COUNT")):
            answer = repr(connection.command(*words))
            assert "neighbour-name" not in answer and "db2" not in answer, words
            assert lab.tenant_id("globex") not in answer, words
    in_redis = lab.redis_administrator().client_list()
    assert len(in_redis) > 1, "the control: Redis itself tells its administrator about several clients"
    assert "db2" in lab.redis_administrator().info("keyspace")
    neighbour.delete("secret")


def test_database_numbers_are_the_tenants_own(walls):
    """SELECT 0 is what clients send by default; it must stay where the tenant is."""
    with walls.lab.raw_cache("acme") as connection:
        for number in (0, 1, 2, 15, 1023, -1, "x"):
            connection.command("SELECT", number)
            answer = connection.command("SET", "where", number)
            assert answer == b"OK" or isinstance(answer, ErrorReply)
    assert walls.lab.redis_administrator("globex").exists("where") == 0
    assert walls.lab.redis_administrator().exists("where") == 0


def test_walls_see_the_neighbour(walls):
    """The oracle itself: as globex the same reading finds the secret."""
    with pytest.raises(AssertionError, match="acme received"):
        walls.attack([("GET", "secret")], login="globex")
    with pytest.raises(AssertionError, match="changed"):
        walls.attack([("SET", "secret", "overwritten")], login="globex")
