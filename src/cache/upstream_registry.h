#pragma once

#include <memory>
#include <unordered_map>

#include "cache/tenant_upstreams.h"
#include "tenancy/directory.h"

namespace partywall::cache {

// All connections to Redis of one worker, by target.
class UpstreamRegistry {
 public:
  UpstreamRegistry(UpstreamLimits limits, UpstreamNetwork& network)
      : limits_(limits), network_(network) {}

  // The ones to where the directory says that the tenant is.
  std::shared_ptr<TenantUpstreams> of(const Tenant& tenant, const Cell& cell, Protocol protocol);

  // To be called every few seconds.
  void sweep(MonotonicTime now);
  // Lets go of connections that lead where the tenant is not any more, or with outdated passwords.
  void directory_changed(const Directory& directory);
  void finish_all();
  [[nodiscard]] size_t size() const { return targets_.size(); }

 private:
  UpstreamLimits limits_;
  UpstreamNetwork& network_;
  std::unordered_map<UpstreamTarget, std::shared_ptr<TenantUpstreams>> targets_;
};

}  // namespace partywall::cache
