#include "cache/load/long_commands.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "cache/commands/command_table.h"

namespace partywall::cache {
namespace {

// Linear, or worse, in the size of a value, by Redis's own documentation; sorted.
constexpr auto kLong = std::to_array<std::string_view>({
    "bitcount",
    "bitop",
    "bitpos",
    "dump",
    "eval",
    "eval_ro",
    "evalsha",
    "evalsha_ro",
    "fcall",
    "fcall_ro",
    "georadius",
    "georadius_ro",
    "georadiusbymember",
    "georadiusbymember_ro",
    "geosearch",
    "geosearchstore",
    "getrange",
    "hgetall",
    "hkeys",
    "hvals",
    "keys",
    "lcs",
    "lindex",
    "linsert",
    "lpos",
    "lrange",
    "lrem",
    "lset",
    "ltrim",
    "memory|usage",
    "pfcount",
    "pfmerge",
    "sdiff",
    "sdiffstore",
    "sinter",
    "sintercard",
    "sinterstore",
    "smembers",
    "sort",
    "sort_ro",
    "sunion",
    "sunionstore",
    "xautoclaim",
    "xinfo|stream",
    "xpending",
    "xrange",
    "xrevrange",
    "xtrim",
    "zdiff",
    "zdiffstore",
    "zinter",
    "zintercard",
    "zinterstore",
    "zrange",
    "zrangebylex",
    "zrangebyscore",
    "zrangestore",
    "zremrangebylex",
    "zremrangebyrank",
    "zremrangebyscore",
    "zrevrange",
    "zrevrangebylex",
    "zrevrangebyscore",
    "zunion",
    "zunionstore",
});
static_assert(std::ranges::is_sorted(kLong));

using Flags = std::array<bool, kCommandCount>;

Flags find_long() {
  Flags flags{};
  for (size_t i = 0; i < flags.size(); ++i)
    flags[i] = std::ranges::binary_search(kLong, kCommandRules[i].name);
  return flags;
}

}  // namespace

bool may_take_long(const CommandRule& rule) {
  static const Flags flags = find_long();
  const std::ptrdiff_t place = &rule - kCommandRules.data();
  return place >= 0 && static_cast<size_t>(place) < flags.size() &&
         flags[static_cast<size_t>(place)];
}

}  // namespace partywall::cache
