#pragma once

#include <cstdint>
#include <memory>

#include "cache/cache_route.h"
#include "cache/handshake.h"
#include "cache/resp/resp_writer.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// Which connections a session may use: those of its tenant, to where the tenant's data is now, that
// speak the client's protocol. Connections are shared only between equal targets.
struct UpstreamTarget {
  TenantId tenant;
  std::shared_ptr<CacheRoute> route;
  HashSlot slot = 0;  // of the tenant's keys, where the route leads to a cluster
  uint32_t database = 0;
  Protocol protocol = Protocol::kResp2;

  bool operator==(const UpstreamTarget&) const = default;
};

// Logs in as the door, learns what the server is, selects the tenant's database, and becomes the
// tenant's user, which can neither select another one nor log in as somebody else.
Handshake tenant_handshake(const UpstreamTarget& target);
// Logs in as the user that may subscribe and nothing else.
Handshake subscriber_handshake(const UpstreamTarget& target);

}  // namespace partywall::cache

template <>
struct std::hash<partywall::cache::UpstreamTarget> {
  size_t operator()(const partywall::cache::UpstreamTarget& target) const noexcept {
    return std::hash<partywall::TenantId>()(target.tenant) ^
           (target.database * 31U + static_cast<uint8_t>(target.protocol));
  }
};
