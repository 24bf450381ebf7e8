#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "tenancy/cell.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// Whoever may change users and settings of a Redis.
struct RedisAdministrator {
  std::string user;  // not "default": that one is switched off
  Secret password;
};

// The rules of the users that the doors work with, as ACL SETUSER takes them (without passwords):
// what the door's table passes on, and nothing else. `server_version`: 704 is Redis 7.4.
std::vector<std::string> tenant_acl_rules(TenantId tenant, uint32_t server_version);
std::vector<std::string> door_acl_rules();
std::vector<std::string> subscriber_acl_rules();

// Makes a Redis ready to be shared by `tenants`, which are all that it holds: the administrator, if
// a fresh Redis does not have it yet; the door's user, one user for each tenant; no users of
// tenants that are not there any more; the default user off; a bound on what Redis keeps for a
// client that does not read. Doing it again changes nothing. Saved where Redis has an ACL file.
// kInvalid when a tenant's database does not exist or two tenants have the same one. Blocking.
Result<> provision_redis(const CacheBackend& backend, const CacheInstance& instance,
                         const RedisAdministrator& administrator,
                         const std::vector<Tenant>& tenants);

}  // namespace partywall::cache
