#include "cache/quota/request_policy.h"

#include <algorithm>
#include <vector>

#include "cache/prefix/key_walk.h"
#include "cache/quota/key_index.h"
#include "tenancy/key_spaces.h"

namespace partywall::cache {
namespace {

// COPY names what it reads first.
std::vector<std::string_view> destination_of_copy(const Request& request) {
  ArgumentCursor cursor(request);
  for (int i = 0; i < 2; ++i) cursor.next();
  const auto destination = cursor.next();
  if (!destination) return {};
  return {*destination};
}

bool some_refuse(const Limits& limits) {
  return limits.cache_at_quota == CacheAtQuota::kRefuse ||
         std::ranges::any_of(limits.cache_key_spaces, [](const CacheKeySpace& space) {
           return space.at_quota == CacheAtQuota::kRefuse;
         });
}

}  // namespace

CacheAtQuota at_quota_of(const Limits& limits, const Request& request, const CommandRule& rule,
                         uint32_t arguments_there) {
  if (limits.cache_key_spaces.empty()) return limits.cache_at_quota;
  if (const auto key = only_key_to_write_down(request, rule)) return at_quota_of(limits, *key);
  // Those that are still to come are not known.
  if (arguments_there < request.argument_count && some_refuse(limits)) return CacheAtQuota::kRefuse;
  const auto keys = rule.kind == CommandKind::kCopy
                        ? destination_of_copy(request)
                        : keys_to_write_down(request, rule, arguments_there);
  if (keys.empty()) return limits.cache_at_quota;
  const bool refuses = std::ranges::any_of(keys, [&](std::string_view key) {
    return at_quota_of(limits, key) == CacheAtQuota::kRefuse;
  });
  return refuses ? CacheAtQuota::kRefuse : CacheAtQuota::kEvict;
}

Limits judged(const Limits& limits, CacheAtQuota at_quota) {
  Limits out = limits;
  if (!out.cache_key_spaces.empty())
    out.cache_key_spaces.push_back({.prefix = {}, .at_quota = limits.cache_at_quota});
  out.cache_at_quota = at_quota;
  return out;
}

}  // namespace partywall::cache
