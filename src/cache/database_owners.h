#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "base/result.h"
#include "engines/redis.h"
#include "tenancy/tenant.h"

// Whose the databases of a Redis are, in database mode: a tenant that has fewer databases than it
// had once (`cache.databases`), or none any more, has left its keys there, and nobody else may find
// them. Redis itself keeps who had them when it was last provisioned, as the key patterns of a user
// that nobody can log in as: users are what no tenant sees or changes, and they are saved together
// with the tenants' own. Blocking.
namespace partywall::cache {

struct DatabaseUse {
  uint64_t keys = 0;
  std::optional<TenantId> owner;  // as last provisioned; nothing: it was not since this is kept
};

// By number; only those that have keys or an owner.
using DatabaseUses = std::map<uint32_t, DatabaseUse>;

[[nodiscard]] Result<DatabaseUses> databases_in_use(redis::Connection& server);

// kConflict where a tenant would get a database with keys of another one.
[[nodiscard]] Result<> check_databases_are_free(std::span<const Tenant> tenants,
                                                const DatabaseUses& uses);

// The tenants have their databases from now on. What nobody has any more stays its last owner's as
// long as there are keys.
[[nodiscard]] Result<> record_database_owners(redis::Connection& server,
                                              std::span<const Tenant> tenants,
                                              const DatabaseUses& uses);

// Those that have keys and an owner, and belong to none of the tenants.
[[nodiscard]] DatabaseUses left_behind(std::span<const Tenant> tenants, const DatabaseUses& uses);

}  // namespace partywall::cache
