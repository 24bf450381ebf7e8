#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cache/quota/tenant_quota.h"

namespace partywall::cache {

// What one node knows of a tenant's cache.
struct TenantUse {
  std::string tenant;  // its slug
  Limits limits;
  TenantQuota::Usage usage;  // as last counted and weighed
  uint64_t hits = 0;         // these since the node began
  uint64_t misses = 0;
  uint64_t evicted_keys = 0;
  uint64_t refused = 0;           // commands
  uint64_t nothing_to_evict = 0;  // of these, those that were to make room, and could not
  // What share of the look-ups would find their key in an exact cache of the quota's size, and of
  // twice that.
  std::optional<double> hit_rate_at_quota;
  std::optional<double> hit_rate_at_double;
};

// So many keys fit: as many as the quota has, or, where their bytes are the narrower limit, as many
// as those of the size that the tenant's keys have now.
uint64_t keys_that_fit(const Limits& limits, const TenantQuota::Usage& usage);

// As GET /cache/tenants/{tenant} answers it.
std::string to_json(const TenantUse& use);

}  // namespace partywall::cache
