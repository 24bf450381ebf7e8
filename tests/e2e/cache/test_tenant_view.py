"""Each tenant sees a server of its own: its scripts, clients, commands, slow log, databases, and nobody else's."""
import hashlib
import json
import threading
import time

import pytest
import redis
from cache_stack import CacheStack
from cryptography.hazmat.primitives.asymmetric import ec
from resp import ErrorReply, Resp
from support import web_tokens


def wait_for(condition, patience=20):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_neighbours_script_is_not_there(cache):
    acme, globex = cache.client("acme"), cache.client("globex")
    text = "return redis.call('PING') and 'the secret of globex'"
    name = globex.script_load(text)
    assert globex.evalsha(name, 0) == "the secret of globex"
    assert acme.script_exists(name, "0" * 40) == [False, False]
    for call in ("EVALSHA", "EVALSHA_RO"):
        with pytest.raises(redis.exceptions.NoScriptError):
            acme.execute_command(call, name.upper(), 0)
    with acme.pipeline(transaction=True) as pipe:
        pipe.execute_command("EVALSHA", name, 0)
        with pytest.raises(redis.ResponseError, match="(?i)no matching script|NOSCRIPT"):
            pipe.execute()
    assert acme.eval(text, 0) == acme.evalsha(name, 0) == "the secret of globex" and acme.script_exists(name) == [True]
    assert acme.script_flush() and acme.script_exists(name) == [False] and globex.script_exists(name) == [True]
    with pytest.raises(redis.ResponseError):
        acme.eval("this is no script", 0)
    broken = hashlib.sha1(b"this is no script").hexdigest()
    assert acme.script_exists(broken) == [False]


def test_clients_are_the_tenants_own_on_every_worker(cache):
    others = [cache.client("globex", client_name=f"globex-{number}") for number in range(4)]
    mine = [cache.client("acme", client_name=f"acme-{number}") for number in range(8)]
    for client in others + mine:
        client.ping()
    names = {line["name"] for line in mine[0].client_list()}
    assert {f"acme-{number}" for number in range(8)} <= names and not any("globex" in name for name in names)
    victim = others[0].client_id()
    assert mine[0].execute_command("CLIENT", "KILL", "ID", victim) == 0
    assert mine[0].execute_command("CLIENT", "KILL", "TYPE", "normal") >= 7
    wait_for(lambda: not any(name.startswith("acme-") for name in
                             (line["name"] for line in mine[0].client_list()) if name != "acme-0"))
    assert [client.client_getname() for client in others] == [f"globex-{number}" for number in range(4)]


def test_unblock_wakes_the_tenants_own_and_loses_nothing(cache):
    acme, globex = cache.client("acme"), cache.client("globex")
    for how, expected in (("TIMEOUT", None), ("ERROR", "UNBLOCKED")):
        with Resp(cache.port, "acme", cache.secrets["acme"]) as blocked:
            identity = blocked.ask("CLIENT", "ID")
            answers = []
            thread = threading.Thread(target=lambda b=blocked: answers.append(b.ask("BLPOP", "q", 0)))
            thread.start()
            wait_for(lambda i=identity: any(line["id"] == str(i) and line["flags"] == "b" for line in acme.client_list()))
            assert globex.execute_command("CLIENT", "UNBLOCK", identity) == 0
            # Before Redis has the connection's login there is nothing to unblock: so it may take a second time.
            wait_for(lambda i=identity, h=how: acme.execute_command("CLIENT", "UNBLOCK", i, h) == 0 or not thread.is_alive())
            thread.join(20)
            (answer,) = answers
            assert answer is None if expected is None else answer.startswith(expected)
    acme.rpush("q", "still here")
    assert acme.lpop("q") == "still here"


def test_replies_can_be_left_out(cache):
    with Resp(cache.port, "acme", cache.secrets["acme"]) as client:
        client.send(b"CLIENT REPLY OFF\r\nSET a 1\r\nGET a\r\nNOSUCH\r\nCLIENT REPLY ON\r\nGET a\r\n")
        assert client.read() == b"OK" and client.read() == b"1"
        client.send(b"CLIENT REPLY SKIP\r\nGET a\r\nECHO x\r\n")
        assert client.read() == b"x"


def test_commands_are_those_that_the_tenant_may_use(cache):
    with Resp(cache.port, "acme", cache.secrets["acme"]) as client:
        names = {name.decode() for name in client.ask("COMMAND", "LIST")}
        assert "get" in names and "client" in names and not {"swapdb", "shutdown", "monitor", "migrate"} & names
        assert client.ask("COMMAND", "COUNT") == len(names)
        assert {entry[0].decode() for entry in client.ask("COMMAND")} == names
        get, swapdb = client.ask("COMMAND", "INFO", "get", "swapdb")
        assert get[0] == b"get" and swapdb is None
        assert client.ask("COMMAND", "DOCS", "get", "swapdb")[0] == b"get"
        assert client.ask("COMMAND", "GETKEYS", "MSET", "a", 1, "b", 2) == [b"a", b"b"]
    assert cache.client("acme").command_count() == len(names)


def test_the_slow_log_has_the_tenants_own_commands(cache):
    acme, globex = cache.client("acme"), cache.client("globex")
    acme.slowlog_reset()
    globex.eval("for i = 1, 3000000 do end return ARGV[1]", 0, "of globex")
    acme.eval("for i = 1, 3000000 do end return ARGV[1]", 0, "of acme" + "x" * 1000)
    acme.evalsha(hashlib.sha1(b"for i = 1, 3000000 do end return ARGV[1]").hexdigest(), 0, "again, of acme")
    entries = acme.execute_command("SLOWLOG", "GET", -1)
    text = json.dumps(entries, default=str)
    assert "again, of acme" in text and "of globex" not in text
    assert acme.slowlog_len() >= 1 and acme.slowlog_reset() and acme.slowlog_len() == 0


def test_questions_about_the_server_are_answered_for_the_tenant(cache):
    with Resp(cache.port, "acme", cache.secrets["acme"]) as client:
        assert client.ask("LATENCY", "LATEST") == [] and client.ask("LATENCY", "RESET") == 0
        assert b"operator" in client.ask("MEMORY", "DOCTOR")
        assert client.ask("CONFIG", "SET", "notify-keyspace-events", "") == b"OK"
        assert client.ask("CONFIG", "SET", "notify-keyspace-events", "KEA").startswith("NOPERM")
        assert client.ask("CONFIG", "SET", "maxmemory", "1").startswith("NOPERM")
        assert client.ask("PUBSUB", "NUMPAT") == 0
        assert client.ask("HELLO", "x").startswith("ERR Protocol version") and client.ask("HELLO", 4).startswith("NOPROTO")
        for words in (("CLIENT", "PAUSE", 1), ("CLIENT", "UNPAUSE"), ("SCRIPT", "KILL"), ("ACL", "LIST"), ("MEMORY", "STATS")):
            assert isinstance(client.ask(*words), ErrorReply), words


def test_several_databases():
    """Acme has 1 to 3 of the Redis, globex 4."""
    stack = CacheStack()
    acme, globex = stack.platform["tenants"][0], stack.platform["tenants"][1]
    acme["overrides"] = {"cache": {"databases": 3}}
    globex["cache_database"], stack.platform["tenants"][2]["cache_database"] = 4, 5
    stack.start()
    try:
        for number in range(3):
            stack.client("acme", db=number).set("k", number)
        stack.client("globex").set("k", "globex")
        assert [stack.client("acme", db=number).get("k") for number in range(3)] == ["0", "1", "2"]
        for number in (3, 4, -1):
            with pytest.raises(redis.ResponseError, match="out of range"):
                stack.client("acme", db=number).get("k")
        with pytest.raises(redis.ResponseError, match="out of range"):
            stack.client("globex", db=1).get("k")
        assert stack.client("acme", db=1).flushall()
        assert [stack.client("acme", db=number).dbsize() for number in range(3)] == [0, 0, 0]
        assert stack.client("globex").get("k") == "globex"
    finally:
        assert stack.stop() == 0


def test_json_web_tokens():
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_numbers()
    keys = {"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "1", "x": web_tokens.number(point.x),
                      "y": web_tokens.number(point.y)}]}
    stack = CacheStack()
    (stack.folder / "keys.json").write_text(json.dumps(keys))
    stack.platform["identity"]["issuers"] = [{"issuer": "https://issuer.test", "audience": "cache", "key_set": "keys.json"}]
    stack.start()

    def token(tenant, audience="cache", lifetime=60):
        claims = {"iss": "https://issuer.test", "aud": audience, "tenant_id": tenant, "exp": int(time.time()) + lifetime}
        head = f"{web_tokens.encode({'alg': 'ES256', 'kid': '1'})}.{web_tokens.encode(claims)}"
        return f"{head}.{web_tokens.encode(web_tokens.es256(key)(head.encode()))}"

    try:
        with Resp(stack.port) as client:
            for tenant in ("acme", "globex") * 3:
                assert client.ask("AUTH", "app", token(tenant)) == b"OK"
                assert client.ask("SET", "who", tenant) == b"OK"
            assert client.ask("HELLO", 3, "AUTH", "default", token("acme"))["b'proto'"] == 3
            assert client.ask("GET", "who") == b"acme"
        for words in (("acme", token("globex")), ("app", token("acme", audience="other")), ("app", token("acme", lifetime=-120)),
                      ("app", token("nobody")), ("nobody", token("acme"))):
            with Resp(stack.port) as client:
                assert client.ask("AUTH", *words).startswith("WRONGPASS"), words
        assert redis.Redis(port=stack.port, password=token("acme"), decode_responses=True).get("who") == "acme"
        assert stack.administrator("acme").get("who") == "acme" and stack.administrator("globex").get("who") == "globex"
    finally:
        assert stack.stop() == 0


def test_functions_are_those_that_the_operator_provides():
    stack = CacheStack()
    stack.platform["cells"]["main"]["cache"]["functions"] = [{"library": "shared", "functions": [{"name": "put"}, {"name": "size"}]}]
    stack.start()
    try:
        stack.administrator().function_load(
            "#!lua name=shared\n"
            "redis.register_function('put', function(keys, args) return redis.call('SET', keys[1], args[1]) end)\n"
            "redis.register_function{function_name='size', callback=function() return redis.call('DBSIZE') end, flags={'no-writes'}}\n"
            "redis.register_function('hidden', function() return 1 end)", replace=True)
        acme, globex = stack.client("acme"), stack.client("globex")
        assert acme.fcall("put", 1, "k", "of acme") == "OK" and acme.fcall_ro("size", 0) == 1
        assert globex.fcall_ro("size", 0) == 0 and globex.get("k") is None
        with acme.pipeline(transaction=True) as pipe:
            assert pipe.fcall("put", 1, "k", "2").fcall("size", 0).execute() == ["OK", 1]
        for name in ("hidden", "nosuch"):
            with pytest.raises(redis.ResponseError, match="not provided here"):
                acme.fcall(name, 0)
        (library,) = acme.function_list()
        assert library[1] == "shared" and [function[1] for function in library[5]] == ["put", "size"]
        for words in (("FUNCTION", "LOAD", "#!lua name=x\n"), ("FUNCTION", "DELETE", "shared"), ("FUNCTION", "FLUSH"), ("FUNCTION", "DUMP")):
            with pytest.raises(redis.ResponseError, match="functions are shared"):
                acme.execute_command(*words)
    finally:
        assert stack.stop() == 0
