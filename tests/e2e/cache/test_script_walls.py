"""What a tenant's scripts leave behind in Redis's interpreter: nothing of it concerns a neighbour."""
import hashlib

import pytest
import redis
from resp import Resp
from support.redis_server import RedisServer
from support.waiting import wait_until

# All that cjson and the collector can be set to, as they are when a script begins.
READ_SETTINGS = """
local settings = {}
for name, f in pairs(cjson) do
  if type(f) == 'function' and name ~= 'encode' and name ~= 'decode' and name ~= 'new' then
    local a, b, c = f()
    settings[#settings + 1] = name .. ' ' .. tostring(a) .. ' ' .. tostring(b) .. ' ' .. tostring(c)
  end
end
table.sort(settings)
settings[#settings + 1] = collectgarbage('setpause', 200)
settings[#settings + 1] = collectgarbage('setstepmul', 200)
return settings
"""
SPOIL = """
cjson.encode_sparse_array(true, 1, 1) cjson.encode_max_depth(1) cjson.decode_max_depth(1) cjson.encode_number_precision(2)
cjson.encode_keep_buffer(false) cjson.encode_invalid_numbers(true) cjson.decode_invalid_numbers(false)
collectgarbage('setpause', 1000000) collectgarbage('setstepmul', 1) collectgarbage('stop')
return 1
"""
ORDER = """
local order = cjson.decode(ARGV[1])
order.total = order.price * order.n
redis.call('SET', KEYS[1], cjson.encode(order.total))
return redis.call('GET', KEYS[1])
"""


def log_in(cache, slug):
    return Resp(cache.port, slug, cache.secrets[slug])


def sha(script):
    return hashlib.sha1(script.encode()).hexdigest()


@pytest.fixture(scope="module")
def fresh_server():
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def fresh(fresh_server):
    with Resp(fresh_server.port) as client:
        yield client


def ways_to_run(client, script, *arguments):
    """The same script in every way that there is; all answers."""
    assert client.ask("SCRIPT", "LOAD", script) == sha(script).encode()
    yield client.ask("EVAL", script, *arguments)
    yield client.ask("EVALSHA", sha(script), *arguments)
    for words in (("EVAL", script), ("EVALSHA", sha(script))):
        assert client.ask("MULTI") == b"OK" and client.ask(*words, *arguments) == b"QUEUED"
        yield client.ask("EXEC")[0]


def spoil(client):
    assert set(ways_to_run(client, SPOIL, 0)) == {1}


def test_settings_of_a_neighbour_are_not_seen(cache, fresh):
    expected = fresh.ask("EVAL", READ_SETTINGS, 0)
    assert len(expected) >= 9
    with log_in(cache, "acme") as acme, log_in(cache, "globex") as globex:
        list(ways_to_run(globex, READ_SETTINGS, 0))  # it is known before, too
        for client in (globex, acme):
            for n in range(4):
                spoil(acme)
                assert list(ways_to_run(client, READ_SETTINGS, 0))[n] == expected
            spoil(acme)
            assert client.ask("EVAL_RO", READ_SETTINGS, 0) == expected
            spoil(acme)
            assert client.ask("EVALSHA_RO", sha(READ_SETTINGS), 0) == expected
            spoil(acme)
            assert client.ask("EVAL", "#!lua flags=no-writes\n" + READ_SETTINGS, 0) == expected


def test_the_control_a_plain_redis_keeps_them(fresh):
    before = fresh.ask("EVAL", READ_SETTINGS, 0)
    fresh.ask("EVAL", SPOIL, 0)
    spoilt = fresh.ask("EVAL", READ_SETTINGS, 0)
    assert all(a != b for a, b in zip(before, spoilt)), "the list of settings is complete"
    restore = "cjson.encode_sparse_array(false, 2, 10) cjson.encode_max_depth(1000) cjson.decode_max_depth(1000) " \
              "cjson.encode_number_precision(14) cjson.encode_keep_buffer(true) cjson.encode_invalid_numbers(false) " \
              "cjson.decode_invalid_numbers(true) collectgarbage('restart') return 1"
    fresh.ask("EVAL", restore, 0)
    assert fresh.ask("EVAL", READ_SETTINGS, 0) == before


def test_what_a_neighbour_stores_is_what_it_has_computed(cache):
    with log_in(cache, "acme") as acme, log_in(cache, "globex") as globex:
        for _ in range(3):
            spoil(acme)
            for answer in ways_to_run(globex, ORDER, 1, "order", '{"price": 1234.56, "n": 3, "items": [[1]]}'):
                assert answer == b"3703.68"
                spoil(acme)


def test_a_script_may_set_cjson_for_itself(cache):
    with log_in(cache, "acme") as acme:
        script = "cjson.encode_number_precision(3) return cjson.encode(1.23456)"
        assert set(ways_to_run(acme, script, 0)) == {b"1.23"}


def test_garbage_is_collected_whatever_a_neighbour_says(cache):
    rubbish = "for i = 1, 20000 do local s = string.rep('x', 1000) .. i end return collectgarbage('count')"
    with log_in(cache, "acme") as acme, log_in(cache, "globex") as globex:
        for _ in range(5):
            spoil(acme)
            assert globex.ask("EVAL", rubbish, 0) < 15_000, "20 MB were let go of"


SCRIPTS = [
    "return 1", "", "return", "-- nothing", "--[[ a\nb ]] return 1", "(function() end)() return 2", "return c", "return g", "c = 1",
    "local c = 1\nreturn c", "x()", "\n\nx()", "return 1,", "end", "do", "\n\nreturn +", "#!lua\nreturn 3", "#!lua\n\nx()",
    "#!lua flags=no-writes\nreturn redis.call('SET', KEYS[1], 1)", "#!lua flags=nonsense\nreturn 1", "#!nolua\nreturn 1", "#!lua", "#!", "#!lua return 1", "\x1bLua", "= 1", "error('mine')",
    "error({err = 'MINE no'})", "return redis.call('NOSUCH')", "return redis.call('HGET', KEYS[1])", "return {err = 'MINE no'}",
    "return redis.error_reply('MINE no')", "goto x", "return ...", "return tostring(getfenv)", "local a\n\n\nreturn a.b.c",
    # Names that the prelude gives other values.
    "return _G.xyzzy", "_G.xyzzy = 1", "return _G._G == _G and _G.redis == redis and _G.load == load", "return getmetatable(_G)", "return tostring(_G.KEYS == KEYS)",
    "return redis.LOG_WARNING", "return redis.log(redis.LOG_DEBUG, 'x')", "redis.set_repl(redis.REPL_ALL) return 1", "local r = redis return r.call('GET', KEYS[1])",
    "return loadstring('return 1')()", "return {loadstring('return 1, ...')(5, 6)}", "return loadstring('\\n\\nx()')()", "return {loadstring('return +')}",
    "return loadstring('end return 1')", "return loadstring('return 1 end do end')", "return loadstring('-- nothing')()", "return loadstring('error(1)', '=mine')()",
    "return loadstring('return redis.call(\\'GET\\', KEYS[1])')()", "local n = 0 return load(function() n = n + 1 return ({'return ', '1', ''})[n] end)()",
    "return load(function() return nil end)()", "return loadstring(loadstring('return \"return 1\"')())()", "for name in pairs(redis) do if name == 'log' then return name end end",
    "math.randomseed(7) return tostring(math.random())", "return {redis.sha1hex('x'), #KEYS, #ARGV, ARGV[1]}", "return redis.pcall('GET', KEYS[1]).err", "for name in pairs(_G) do if #name == 1 then return name end end",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_answers_and_errors_are_those_of_a_plain_redis(cache, fresh, script):
    """Names and lines in errors are those of the tenant's own text."""
    key = cache.prefix("acme")
    with log_in(cache, "acme") as acme:
        for _ in range(2):  # as a new one, and as one that is known
            for words in (("EVAL", script, 1, "k", "v\r\nw"), ("EVALSHA", sha(script), 1, "k", "v\r\nw"), ("EVALSHA_RO", sha(script), 1, "k", "v"),
                          ("EVAL", script), ("EVALSHA", sha(script)), ("EVAL", script, "x"), ("EVAL", script, 2, "k"), ("EVAL", script, -1),
                          ("SCRIPT", "EXISTS", sha(script), sha(script).upper(), "x", "0" * 40), ("SCRIPT", "LOAD", script),
                          ("SCRIPT", "LOAD"), ("SCRIPT", "EXISTS")):
                through, plain = acme.ask(*words), fresh.ask(*words)
                assert type(through) is type(plain) and (through == plain or str(through).replace(key, "") == str(plain)), words


def test_names_are_those_of_the_tenants_own_text(cache):
    script = "return redis.call('INCR', KEYS[1])"
    acme, globex = cache.client("acme"), cache.client("globex")
    registered = acme.register_script(script)
    assert registered(keys=["n"]) == 1 and registered.sha == sha(script)
    assert acme.script_exists(sha(script), sha("none")) == [True, False] and globex.script_exists(sha(script)) == [False]
    with acme.pipeline() as pipe:
        registered(keys=["n"], client=pipe)
        pipe.get("n")
        registered(keys=["n"], client=pipe)
        assert pipe.execute() == [2, "2", 3]
    with acme.pipeline(transaction=False) as pipe:
        for _ in range(50):
            pipe.evalsha(sha(script), 1, "n")
            pipe.get("n")
        assert pipe.execute()[-2:] == [53, "53"]
    with pytest.raises(redis.exceptions.NoScriptError, match="No matching script"):
        globex.evalsha(sha(script), 1, "n")
    acme.script_flush()
    assert acme.script_exists(sha(script)) == [False]
    assert registered(keys=["n"]) == 54, "the client loads it again"


def test_redis_own_names_are_nobodys(cache):
    """Neither a script as Redis has it, nor one that the administrator has loaded, can be called by its name there."""
    with log_in(cache, "acme") as acme:
        assert acme.ask("EVAL", "return 'mine'", 0) == b"mine"
        in_redis = cache.administrator().script_load("return 'of the operator'")
        assert acme.ask("SCRIPT", "EXISTS", in_redis) == [0]
        assert acme.ask("EVALSHA", in_redis, 0).startswith("NOSCRIPT")
        big = b"x" * 3_000_000
        assert acme.ask("EVALSHA", in_redis, 0, big).startswith("NOSCRIPT"), "however long the request is"


WAYS_TO_THE_LOG = [
    "redis.log(redis.LOG_WARNING, ARGV[1])", "redis['l' .. 'og'](3, ARGV[1])", "local r = redis r.log(3, ARGV[1])", "redis . log(3, ARGV[1])", "redis\n.log(3, ARGV[1])",
    "redis.--[[ ]]log(3, ARGV[1])", "for name, f in pairs(redis) do if name == 'log' then f(3, ARGV[1]) end end", "_G.redis.log(3, ARGV[1])", "_G['red' .. 'is']['log'](3, ARGV[1])",
    "for name, library in pairs(_G) do if type(library) == 'table' and library.log and library.call then library.log(3, ARGV[1]) end end",
    "_G._G._G.redis.log(3, ARGV[1])", "loadstring('redis.log(3, ARGV[1])')()", "_G.loadstring('redis.log(3, ARGV[1])')()", "_G['load' .. 'string']('redis.log(3, ARGV[1])')()",
    "local n = 0 load(function() n = n + 1 return ({'redis.', 'log(3, ARGV[1])'})[n] end)()", "loadstring('loadstring([[redis.log(3, ARGV[1])]])()')()",
    "loadstring('local redis = nil return _G.redis')().log(3, ARGV[1])", "pcall(loadstring, 'end end redis.log(3, ARGV[1]) do do')",
    "coroutine.wrap(function() redis.log(3, ARGV[1]) end)()", "pcall(function() getmetatable(_G).__index = nil end) redis.log(3, ARGV[1])",
    "local ok, globals = pcall(getfenv, 0) if ok then globals.redis.log(3, ARGV[1]) end", "string.gsub('x', 'x', function() redis.log(3, ARGV[1]) end)",
    "local log = rawget(redis, 'log') log(3, ARGV[1])", "rawset(_G, 'redis', nil) _G.redis.log(3, ARGV[1])", "redis.log(3, ARGV[1])\n-- a comment without end",
    "#!lua\nredis.log(3, ARGV[1])",
]


def test_no_script_writes_into_the_log_of_redis(cache, fresh_server, fresh):
    """Lines there are the operator's to believe."""
    mark = "forged by acme\n4711:M 01 Jan 2030 00:00:00.000 # Server shutdown by operator"
    with log_in(cache, "acme") as acme:
        for script in WAYS_TO_THE_LOG:
            list(ways_to_run(acme, script, 0, mark))
    assert "forged" not in cache.redis.log()
    reached = 0
    for script in WAYS_TO_THE_LOG:
        before = fresh_server.log().count("forged")
        fresh.ask("EVAL", script, 0, "forged")
        reached += fresh_server.log().count("forged") > before
    assert reached > 15, "the control: a plain Redis writes them down"


def test_what_a_script_does_to_its_copies_is_gone_with_it(cache):
    with log_in(cache, "acme") as acme, log_in(cache, "globex") as globex:
        for script in ("redis = function() return 'acme' end return 1", "_G.redis.call = function() return 'acme' end return 1",
                       "getmetatable(_G).__index = function() return 'acme' end return 1", "rawset(_G, 'type', 'acme') return 1",
                       "_G.string.rep = 'acme' return 1", "load, loadstring = nil return 1", "rawset(redis, 'call', 'acme') return 1"):
            acme.ask("EVAL", script, 0)
            for client in (acme, globex):
                look = "return {type(redis), type(_G.type), type(load), pcall(function() return nothing end), string.rep('x', 3), redis.call('PING')['ok'], _G.redis.call('PING')['ok']}"
                assert client.ask("EVAL", look, 0)[:4] == [b"table", b"function", b"function", None]
                assert client.ask("EVAL", "return redis.call('ECHO', 'own')", 0) == b"own"


def test_replicas_keep_what_the_server_keeps(cache):
    """Else a tenant would fill the memory of replicas with what it has removed, and no quota would see it."""
    with log_in(cache, "acme") as acme:
        for script in ("redis.set_repl(redis.REPL_NONE) return redis.call('SET', KEYS[1], 1)", "_G.redis.set_repl(redis.REPL_AOF) return redis.call('SET', KEYS[1], 1)",
                       "loadstring('redis.set_repl(redis.REPL_NONE)')() return redis.call('SET', KEYS[1], 1)"):
            for answer in ways_to_run(acme, script, 1, "k"):
                assert "redis.set_repl is not available here" in str(answer)
        assert acme.ask("EXISTS", "k") == 0


def test_random_numbers_are_not_chosen_by_a_neighbour(cache, fresh):
    choose, draw = "math.randomseed(5) return 1", "return tostring(math.random())"
    with log_in(cache, "acme") as acme, log_in(cache, "globex") as globex:
        drawn = []
        for _ in range(3):
            acme.ask("EVAL", choose, 0)
            drawn += ways_to_run(globex, draw, 0)
            acme.ask("EVAL", choose, 0)
            drawn.append(globex.ask("EVAL", draw, 0))
        assert len(set(drawn)) == len(drawn)
    plain = []
    for _ in range(2):
        fresh.ask("EVAL", choose, 0)
        plain.append(fresh.ask("EVAL", draw, 0))
    assert plain[0] == plain[1], "the control"


def test_the_protocol_of_a_script_is_its_own(cache):
    with log_in(cache, "acme") as acme, log_in(cache, "globex") as globex:
        globex.ask("HSET", "h", "f", "v")
        for _ in range(3):
            acme.ask("EVAL", "redis.setresp(3) return 1", 0)
            assert globex.ask("EVAL", "return type(redis.call('HGETALL', KEYS[1])[1])", 1, "h") == b"string"


def test_what_a_script_leaves_in_memory_is_collected(cache):
    """Redis itself would keep it until dozens of scripts have run, beyond every quota and its own maxmemory."""
    administrator = cache.administrator()
    with log_in(cache, "acme") as acme:
        left = "local t = {} for i = 1, 150 do t[i] = string.rep('x', 1048576) .. i end return #t"
        assert acme.ask("EVAL", left, 0) == 150
        wait_until(lambda: administrator.info("memory")["used_memory_vm_eval"] < 64 << 20, "the door has had it collected")
    assert "what scripts had left behind" in cache.process.log()
