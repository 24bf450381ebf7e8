#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cache/provision_servers.h"
#include "tenancy/cell.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// The rules of the users that the doors work with, as ACL SETUSER takes them (without passwords):
// what the door's table passes on, and nothing else. `server_version`: 704 is Redis 7.4.
std::vector<std::string> tenant_acl_rules(const CacheBackend& backend, const Tenant& tenant,
                                          uint32_t server_version);
std::vector<std::string> keyspace_acl_rules();  // only prefix mode has this user
std::vector<std::string> index_acl_rules();     // the same
std::vector<std::string> door_acl_rules();
std::vector<std::string> subscriber_acl_rules();
std::vector<std::string> watch_acl_rules();

// Of the Sentinels, and of the replicas, where there are any.
std::vector<std::string> sentinel_acl_rules();
std::vector<std::string> replica_acl_rules();

// Makes a cache instance ready to be shared by `tenants`, which are all that it holds, on every
// server that it consists of: the administrator, if a fresh Redis does not have it yet; the door's
// user, one user for each tenant, where the keys are being rotated with both passwords; no users of
// tenants that are not there any more; the default user off, after replicas and Sentinels have
// got users of their own; a bound on what Redis keeps for a client that does not read. Doing it
// again changes nothing. Saved where Redis has files for it. kInvalid when a tenant's database does
// not exist or two tenants have the same one; kUnavailable when one of the servers could not be
// reached (the others are done). Blocking.
enum class OldTenants {
  kRemove,
  kKeep,  // for who may know less than others: a node whose directory is not the newest
};
Result<> provision_redis(const CacheBackend& backend, const CacheInstance& instance,
                         const RedisAdministrator& administrator,
                         const std::vector<Tenant>& tenants, OldTenants old = OldTenants::kRemove);

// The user of one tenant alone, in an instance that was provisioned before.
Result<> provision_tenant(const CacheBackend& backend, const CacheInstance& instance,
                          const RedisAdministrator& administrator, const Tenant& tenant);
// Its connections end at once.
Result<> remove_tenant_user(const CacheBackend& backend, const CacheInstance& instance,
                            const RedisAdministrator& administrator, TenantId tenant);

}  // namespace partywall::cache
