#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "cache/quota/tenant_quota.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// How near each tenant is to its quota; one for the whole door. Thread-safe.
class QuotaBook {
 public:
  std::shared_ptr<TenantQuota> of(TenantId tenant) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<TenantQuota>& entry = entries_[tenant];
    if (entry == nullptr) entry = std::make_shared<TenantQuota>();
    return entry;
  }
  // Nothing where the tenant has not written since the door began.
  [[nodiscard]] TenantQuota::Usage usage(TenantId tenant) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(tenant);
    return found == entries_.end() ? TenantQuota::Usage() : found->second->usage();
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<TenantId, std::shared_ptr<TenantQuota>> entries_;
};

}  // namespace partywall::cache
