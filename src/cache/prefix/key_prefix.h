#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tenancy/cell.h"
#include "tenancy/tenant.h"

// What a tenant's keys are called in Redis, in prefix mode: "tenant:{<tag>}:<key>" in its database
// 0 and "tenant:{<tag>}.<n>:<key>" in its database n. The braces make Redis Cluster keep all of
// them in one slot; tenants that are spread over the slots have none. A tag has only letters,
// digits and
// '-' (check_cache_tag): so no prefix begins another one, and none is special in patterns.
namespace partywall::cache {

// What all of them begin with, up to where the database is told. Empty in database mode.
std::string key_root(const CacheBackend& backend, const Tenant& tenant);

// What those in one database begin with; `database` is the client's number of it.
std::string key_prefix(std::string_view root, uint32_t database);
// Empty in database mode.
std::string key_prefix(const CacheBackend& backend, const Tenant& tenant, uint32_t database = 0);

// Behind the root: the pattern that matches the keys of all databases, and nobody else's.
inline constexpr std::string_view kAnyDatabase = "[.:]*";
// Is that key one of them?
bool is_own_key(std::string_view key, std::string_view root);

}  // namespace partywall::cache
