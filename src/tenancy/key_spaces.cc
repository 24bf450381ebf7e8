#include "tenancy/key_spaces.h"

#include <algorithm>

namespace partywall {

Result<> add_key_space(Limits& limits, CacheKeySpace space) {
  std::vector<CacheKeySpace>& spaces = limits.cache_key_spaces;
  const size_t length = space.prefix.size();
  if (length == 0)
    return fail(ErrorKind::kInvalid, "a prefix must not be empty: `at_quota` says it for all keys");
  if (length > kMaxKeySpacePrefixBytes) {
    return fail(ErrorKind::kInvalid, "a prefix has at most {} bytes, this one {}",
                kMaxKeySpacePrefixBytes, length);
  }
  if (std::ranges::find(spaces, space.prefix, &CacheKeySpace::prefix) != spaces.end())
    return fail(ErrorKind::kInvalid, "there is a key space '{}' already", space.prefix);
  if (spaces.size() == kMaxCacheKeySpaces)
    return fail(ErrorKind::kInvalid, "there are at most {} key spaces", kMaxCacheKeySpaces);
  const auto place = std::ranges::find_if(
      spaces, [&](const CacheKeySpace& other) { return other.prefix.size() < length; });
  spaces.insert(place, std::move(space));
  return {};
}

std::string_view to_string(CacheAtQuota at_quota) {
  return at_quota == CacheAtQuota::kEvict ? "evict" : "refuse";
}

CacheAtQuota at_quota_of(const Limits& limits, std::string_view key) {
  for (const CacheKeySpace& space : limits.cache_key_spaces) {
    if (key.starts_with(space.prefix)) return space.at_quota;
  }
  return limits.cache_at_quota;
}

}  // namespace partywall
