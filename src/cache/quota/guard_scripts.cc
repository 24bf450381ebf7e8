#include "cache/quota/guard_scripts.h"

namespace partywall::cache {
namespace {

// What differs between a database and an index: any() gives a key at random, at() is what Redis
// calls it, forget() is told of one that is gone, left() counts, and `last` is the last of ARGV
// that is a key space.
#define PARTYWALL_IN_DATABASE                           \
  "local call, last = redis.call, #ARGV\n"              \
  "local victims, keys, gone = {}, {}, {}\n"            \
  "local function any() return call('RANDOMKEY') end\n" \
  "local function at(key) return key end\n"             \
  "local function forget() end\n"                       \
  "local function left() return call('DBSIZE') end\n"

// Names whose keys are gone leave the index on the way.
#define PARTYWALL_IN_INDEX                                                          \
  "local call, index, prefix, last = redis.call, KEYS[1], ARGV[#ARGV], #ARGV - 1\n" \
  "local victims, keys, names, gone = {}, {}, {}, {}\n"                             \
  "local function at(key) return prefix .. key end\n"                               \
  "local function any()\n"                                                          \
  "  if #names == 0 then names = call('SRANDMEMBER', index, -64) end\n"             \
  "  return table.remove(names)\n"                                                  \
  "end\n"                                                                           \
  "local function forget(key) gone[#gone + 1] = key end\n"                          \
  "local function left() return call('SCARD', index) end\n"                         \
  "local function clean()\n"                                                        \
  "  local some, there, missing = call('SRANDMEMBER', index, 64), {}, 0\n"          \
  "  for i, key in ipairs(some) do there[i] = at(key) end\n"                        \
  "  if #some == 0 or call('EXISTS', unpack(there)) == #some then\n"                \
  "    return false\n"                                                              \
  "  end\n"                                                                         \
  "  for _, key in ipairs(some) do\n"                                               \
  "    if call('EXISTS', at(key)) == 0 then\n"                                      \
  "      missing = missing + call('SREM', index, key)\n"                            \
  "    end\n"                                                                       \
  "  end\n"                                                                         \
  "  return missing * 8 > #some\n"                                                  \
  "end\n"

// pick(): the least used of the candidates. What it gave, and what was found gone, is passed over
// from then on, and removed all at once by remove_picked(), which tells how many keys went. A key
// belongs to the first space whose prefix it has; where there are none, each may go.
#define PARTYWALL_PICK                                                               \
  "local pool, rank, done, lfu, looks = {}, {}, {}, nil, 1024\n"                     \
  "local function may_go(key)\n"                                                     \
  "  for i = 3, last do\n"                                                           \
  "    local space = ARGV[i]\n"                                                      \
  "    if string.sub(key, 1, #space - 1) == string.sub(space, 2) then\n"             \
  "      return string.sub(space, 1, 1) == '+'\n"                                    \
  "    end\n"                                                                        \
  "  end\n"                                                                          \
  "  return true\n"                                                                  \
  "end\n"                                                                            \
  "local function use(key)\n"                                                        \
  "  if not lfu then\n"                                                              \
  "    local idle = redis.pcall('OBJECT', 'IDLETIME', at(key))\n"                    \
  "    if type(idle) ~= 'table' then return idle end\n"                              \
  "    lfu = true\n"                                                                 \
  "  end\n"                                                                          \
  "  local uses = call('OBJECT', 'FREQ', at(key))\n"                                 \
  "  return uses and -uses\n"                                                        \
  "end\n"                                                                            \
  "local function sample()\n"                                                        \
  "  while looks > 0 do\n"                                                           \
  "    looks = looks - 1\n"                                                          \
  "    local key = any()\n"                                                          \
  "    if not key or rank[key] then return key end\n"                                \
  "    if not done[key] and may_go(key) then\n"                                      \
  "      local score, place = use(key), #pool\n"                                     \
  "      if score then\n"                                                            \
  "        if place == 16 then\n"                                                    \
  "          if score <= rank[pool[1]] then return key end\n"                        \
  "          rank[table.remove(pool, 1)] = nil\n"                                    \
  "          place = 15\n"                                                           \
  "        end\n"                                                                    \
  "        while place > 0 and rank[pool[place]] > score do place = place - 1 end\n" \
  "        table.insert(pool, place + 1, key)\n"                                     \
  "        rank[key] = score\n"                                                      \
  "        return key\n"                                                             \
  "      end\n"                                                                      \
  "      done[key] = true\n"                                                         \
  "      forget(key)\n"                                                              \
  "    end\n"                                                                        \
  "  end\n"                                                                          \
  "end\n"                                                                            \
  "local function pick()\n"                                                          \
  "  for _ = 1, 5 do if not sample() then break end end\n"                           \
  "  local key = table.remove(pool)\n"                                               \
  "  if not key then return nil end\n"                                               \
  "  rank[key], done[key] = nil, true\n"                                             \
  "  victims[#victims + 1], keys[#keys + 1] = key, at(key)\n"                        \
  "  return key\n"                                                                   \
  "end\n"

#define PARTYWALL_REMOVE_FROM_DATABASE                         \
  "local function remove_picked()\n"                           \
  "  return #keys > 0 and call('UNLINK', unpack(keys)) or 0\n" \
  "end\n"

#define PARTYWALL_REMOVE_FROM_INDEX                                \
  "local function remove_picked()\n"                               \
  "  for _, key in ipairs(victims) do gone[#gone + 1] = key end\n" \
  "  if #gone > 0 then call('SREM', index, unpack(gone)) end\n"    \
  "  return #keys > 0 and call('UNLINK', unpack(keys)) or 0\n"     \
  "end\n"

#define PARTYWALL_EVICT_KEYS                                                   \
  "local target, most, count = tonumber(ARGV[1]), tonumber(ARGV[2]), left()\n" \
  "while count - #victims - #gone > target and #victims < most do\n"           \
  "  if not pick() then break end\n"                                           \
  "end\n"                                                                      \
  "local evicted = remove_picked()\n"                                          \
  "return {left(), evicted}"

#define PARTYWALL_EVICT_BYTES                                            \
  "local need, most, freed = tonumber(ARGV[1]), tonumber(ARGV[2]), 0\n"  \
  "while freed < need and #victims < most do\n"                          \
  "  local key = pick()\n"                                               \
  "  if not key then break end\n"                                        \
  "  local bytes = call('MEMORY', 'USAGE', at(key), 'SAMPLES', '100')\n" \
  "  freed = freed + (bytes or 0)\n"                                     \
  "end\n"                                                                \
  "return {remove_picked(), freed}"

#define PARTYWALL_PICK_FROM_DATABASE \
  PARTYWALL_IN_DATABASE PARTYWALL_PICK PARTYWALL_REMOVE_FROM_DATABASE
#define PARTYWALL_PICK_FROM_INDEX PARTYWALL_IN_INDEX PARTYWALL_PICK PARTYWALL_REMOVE_FROM_INDEX

}  // namespace

// No key is evicted while many names are of keys that are gone.
const GuardScript kEvictKeysScript = {
    .of_database = PARTYWALL_PICK_FROM_DATABASE PARTYWALL_EVICT_KEYS,
    .of_index = PARTYWALL_PICK_FROM_INDEX
    "local cleaning = true\n"
    "for _ = 1, 8 do\n"
    "  cleaning = left() > tonumber(ARGV[1]) and clean()\n"
    "  if not cleaning then break end\n"
    "end\n"
    "if cleaning then return {left(), 0} end\n" PARTYWALL_EVICT_KEYS};

const GuardScript kEvictBytesScript = {
    .of_database = PARTYWALL_PICK_FROM_DATABASE PARTYWALL_EVICT_BYTES,
    .of_index = PARTYWALL_PICK_FROM_INDEX PARTYWALL_EVICT_BYTES};

// The index is memory of the tenant's too.
const GuardScript kWeighScript = {
    .of_database =
        "local page, bytes = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2]), 0\n"
        "for _, key in ipairs(page[2]) do\n"
        "  bytes = bytes + (redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '100') or 0)\n"
        "end\n"
        "return {tonumber(page[1]), bytes}",
    .of_index =
        "local call, index, prefix = redis.call, KEYS[1], ARGV[#ARGV]\n"
        "local page, bytes = call('SSCAN', index, ARGV[1], 'COUNT', ARGV[2]), 0\n"
        "if ARGV[1] == '0' then\n"
        "  bytes = call('MEMORY', 'USAGE', index, 'SAMPLES', '100') or 0\n"
        "end\n"
        "for _, key in ipairs(page[2]) do\n"
        "  local used = call('MEMORY', 'USAGE', prefix .. key, 'SAMPLES', '100')\n"
        "  if used then bytes = bytes + used else call('SREM', index, key) end\n"
        "end\n"
        "return {tonumber(page[1]), bytes}"};

const std::string_view kLookThroughScript =
    "local call, index, prefix = redis.call, KEYS[1], ARGV[#ARGV]\n"
    "local page = call('SSCAN', index, ARGV[1], 'COUNT', ARGV[2])\n"
    "for _, key in ipairs(page[2]) do\n"
    "  if call('EXISTS', prefix .. key) == 0 then call('SREM', index, key) end\n"
    "end\n"
    "return {tonumber(page[1]), call('SCARD', index)}";

const std::string_view kVerifyNamesScript =
    "local call, index, prefix, gone = redis.call, KEYS[1], ARGV[#ARGV], 0\n"
    "for i = 1, #ARGV - 1 do\n"
    "  if call('EXISTS', prefix .. ARGV[i]) == 0 then\n"
    "    gone = gone + call('SREM', index, ARGV[i])\n"
    "  end\n"
    "end\n"
    "return {call('SCARD', index), gone}";

// A prefix has no ':' between its first and its last one. Of each index a few names are looked at,
// and more while most of them are of keys that are gone. In a cluster a slot that is just moving is
// passed over.
const std::string_view kSurveyScript =
    "local ask, added, budget = redis.pcall, 0, 1024\n"
    "local function check(index, prefix, names)\n"
    "  local gone = 0\n"
    "  for _, name in ipairs(names) do\n"
    "    if ask('EXISTS', prefix .. name) == 0 then\n"
    "      ask('SREM', index, name)\n"
    "      gone = gone + 1\n"
    "    end\n"
    "  end\n"
    "  budget = budget - #names\n"
    "  return gone * 2 > #names\n"
    "end\n"
    "local page = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2])\n"
    "for _, key in ipairs(page[2]) do\n"
    "  local prefix = string.match(key, '^tenant:[^:]*:')\n"
    "  local indexed = string.match(key, '^partywall%-keys:(tenant:[^:]*:)$')\n"
    "  if prefix then\n"
    "    local index = 'partywall-keys:' .. prefix\n"
    "    local done = ask('SADD', index, string.sub(key, #prefix + 1))\n"
    "    if done == 1 then added = added + 1 end\n"
    "    check(index, prefix, ask('SRANDMEMBER', index, 1))\n"
    "  elseif indexed then\n"
    "    while budget > 0 and check(key, indexed, ask('SRANDMEMBER', key, 16)) do end\n"
    "  end\n"
    "end\n"
    "return {page[1], added}";

#undef PARTYWALL_PICK_FROM_INDEX
#undef PARTYWALL_PICK_FROM_DATABASE
#undef PARTYWALL_EVICT_BYTES
#undef PARTYWALL_EVICT_KEYS
#undef PARTYWALL_REMOVE_FROM_INDEX
#undef PARTYWALL_REMOVE_FROM_DATABASE
#undef PARTYWALL_PICK
#undef PARTYWALL_IN_INDEX
#undef PARTYWALL_IN_DATABASE

}  // namespace partywall::cache
