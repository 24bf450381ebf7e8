#pragma once

#include <string>

#include "tenancy/cell.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// What every key of the tenant begins with in prefix mode: "tenant:{<tag>}:", whose braces make
// Redis Cluster keep all of them in one slot, or "tenant:<tag>:" for tenants that are spread over
// the slots. Empty in database mode. No prefix begins another one, and none has a character that is
// special in patterns, because a tag has only letters, digits and '-' (check_cache_tag).
std::string key_prefix(const CacheBackend& backend, const Tenant& tenant);

}  // namespace partywall::cache
