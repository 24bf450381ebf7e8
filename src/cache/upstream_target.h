#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cache/cache_route.h"
#include "cache/handshake.h"
#include "cache/resp/resp_writer.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// As whom a connection is logged in.
enum class UpstreamUser : uint8_t {
  kTenant,
  kKeyspace,  // of prefix mode: may SCAN and SORT all keys, and nothing else
  kIndex,     // of prefix mode: keeps account of the tenants' keys
  kChannels,  // asks which channels there are, of all tenants
};

// Which connections a session may use: those of its tenant, to where the tenant's data is now, that
// speak the client's protocol. Connections are shared only between equal targets.
struct UpstreamTarget {
  TenantId tenant;
  std::shared_ptr<CacheRoute> route;
  HashSlot slot = 0;       // of the tenant's keys, where the route leads to a cluster
  uint32_t selected = 0;   // the client's number of the database
  uint32_t database = 0;   // Redis's
  std::string key_prefix;  // of prefix mode; empty in database mode
  Protocol protocol = Protocol::kResp2;
  UpstreamUser user = UpstreamUser::kTenant;

  bool operator==(const UpstreamTarget&) const = default;
};

UpstreamTarget target_of(const Tenant& tenant, std::shared_ptr<CacheRoute> route, Protocol protocol,
                         UpstreamUser user, uint32_t selected);

// Logs in as the door, learns what the server is, selects the tenant's database, and becomes the
// tenant's user, which can neither select another one nor log in as somebody else.
Handshake tenant_handshake(const UpstreamTarget& target);
// Logs in as the user that may SCAN and SORT. The door sends only what stays within the prefix.
Handshake keyspace_handshake(const UpstreamTarget& target);
// Logs in as the user that keeps the indexes.
Handshake index_handshake(const UpstreamTarget& target);
// Logs in as the user that may subscribe, to ask which channels there are. The door asks only for
// those with the tenant's prefix.
Handshake channels_handshake(const UpstreamTarget& target);
// Logs in as the door and ends a blocking command of another connection; `how` is TIMEOUT or ERROR.
Handshake unblock_handshake(const UpstreamTarget& target, uint64_t connection_id,
                            std::string_view how);
// Logs in as the user that may subscribe.
Handshake subscriber_handshake(const UpstreamTarget& target);

}  // namespace partywall::cache

template <>
struct std::hash<partywall::cache::UpstreamTarget> {
  size_t operator()(const partywall::cache::UpstreamTarget& target) const noexcept {
    return std::hash<partywall::TenantId>()(target.tenant) ^
           (target.selected * 31U + static_cast<uint8_t>(target.protocol) * 4U +
            static_cast<uint8_t>(target.user));
  }
};
