#pragma once

#include <string_view>

#include "base/result.h"
#include "tenancy/limits.h"

// A tenant may keep several kinds of keys in its cache: sessions, which must not get lost, beside
// pages, which may. What its key begins with tells them apart; of several spaces the one with the
// longest prefix counts, and where there is none, cache_at_quota.
namespace partywall {

inline constexpr size_t kMaxCacheKeySpaces = 16;
inline constexpr size_t kMaxKeySpacePrefixBytes = 128;

// Adds one; the longest prefixes come first.
Result<> add_key_space(Limits& limits, CacheKeySpace space);

std::string_view to_string(CacheAtQuota at_quota);

// What happens at the quota to what makes this key grow.
CacheAtQuota at_quota_of(const Limits& limits, std::string_view key);

}  // namespace partywall
