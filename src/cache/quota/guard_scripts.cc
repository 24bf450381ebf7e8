#include "cache/quota/guard_scripts.h"

namespace partywall::cache {
namespace {

// pick(): the least used of the candidates, which must still be there. A candidate of an earlier
// pick may have been removed meanwhile only by this script.
#define PARTYWALL_PICK                                                  \
  "local call, pool, rank, lfu = redis.call, {}, {}, nil\n"             \
  "local function use(key)\n"                                           \
  "  if lfu then return -call('OBJECT', 'FREQ', key) end\n"             \
  "  return call('OBJECT', 'IDLETIME', key)\n"                          \
  "end\n"                                                               \
  "local function sample()\n"                                           \
  "  local key = call('RANDOMKEY')\n"                                   \
  "  if not key or rank[key] then return key end\n"                     \
  "  if lfu == nil then\n"                                              \
  "    lfu = type(redis.pcall('OBJECT', 'IDLETIME', key)) == 'table'\n" \
  "  end\n"                                                             \
  "  local score, at = use(key) or 0, #pool\n"                          \
  "  if at == 16 then\n"                                                \
  "    if score <= rank[pool[1]] then return key end\n"                 \
  "    rank[table.remove(pool, 1)] = nil\n"                             \
  "    at = 15\n"                                                       \
  "  end\n"                                                             \
  "  while at > 0 and rank[pool[at]] > score do at = at - 1 end\n"      \
  "  table.insert(pool, at + 1, key)\n"                                 \
  "  rank[key] = score\n"                                               \
  "  return key\n"                                                      \
  "end\n"                                                               \
  "local function pick()\n"                                             \
  "  for _ = 1, 5 do if not sample() then break end end\n"              \
  "  local key = table.remove(pool)\n"                                  \
  "  if key then rank[key] = nil end\n"                                 \
  "  return key\n"                                                      \
  "end\n"

}  // namespace

const std::string_view kEvictKeysScript = PARTYWALL_PICK
    "local target, most, evicted = tonumber(ARGV[1]), tonumber(ARGV[2]), 0\n"
    "local left = call('DBSIZE')\n"
    "while left > target and evicted < most do\n"
    "  local key = pick()\n"
    "  if not key then break end\n"
    "  evicted = evicted + call('UNLINK', key)\n"
    "  left = call('DBSIZE')\n"
    "end\n"
    "return {left, evicted}";

const std::string_view kEvictBytesScript = PARTYWALL_PICK
    "local need, most, evicted, freed = tonumber(ARGV[1]), tonumber(ARGV[2]), 0, 0\n"
    "while freed < need and evicted < most do\n"
    "  local key = pick()\n"
    "  if not key then break end\n"
    "  local bytes = call('MEMORY', 'USAGE', key, 'SAMPLES', '100')\n"
    "  call('UNLINK', key)\n"
    "  evicted, freed = evicted + 1, freed + (bytes or 0)\n"
    "end\n"
    "return {evicted, freed}";

const std::string_view kWeighScript =
    "local page, bytes = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2]), 0\n"
    "for _, key in ipairs(page[2]) do\n"
    "  bytes = bytes + (redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '100') or 0)\n"
    "end\n"
    "return {tonumber(page[1]), bytes}";

#undef PARTYWALL_PICK

}  // namespace partywall::cache
