#pragma once

#include <string>
#include <vector>

#include "cache/provision_servers.h"
#include "cache/transfer/tenant_transfer.h"
#include "tenancy/cell.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// Where the tenant's keys are in its cache: of each of its databases, in the order of their
// numbers.
std::vector<KeySpace> key_spaces_of(const CacheBackend& backend, const Tenant& tenant);

// What is left of a tenant on one server.
struct Remains {
  Endpoint server;
  uint64_t keys = 0;      // on a replica too
  bool has_user = false;  // and with it connections
  uint64_t channels = 0;  // that somebody is subscribed to
  [[nodiscard]] bool none() const { return keys == 0 && !has_user && channels == 0; }
};

struct Erasure {
  uint64_t erased_keys = 0;
  std::vector<Remains> proof;  // of every server, looked at afterwards
  [[nodiscard]] bool complete() const;
};

// Removes the tenant's ACL user from every server, which ends its connections, then all of its
// keys, and looks at every server what is left, again and again for at most `patience`: replicas
// follow, and the doors end subscriptions only when the tenant is not served any more. Doing it
// again is harmless. Blocking.
Result<Erasure> erase_tenant(const CacheBackend& backend, const CacheInstance& instance,
                             const RedisAdministrator& administrator, const Tenant& tenant,
                             const TransferOptions& options, Duration patience);

}  // namespace partywall::cache
