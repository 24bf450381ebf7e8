#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/keyed_hash.h"
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
  // nullptr where the tenant has neither written nor looked for anything since the door began.
  [[nodiscard]] std::shared_ptr<TenantQuota> find(TenantId tenant) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(tenant);
    return found == entries_.end() ? nullptr : found->second;
  }
  // Of a key, for samples that no tenant can steer.
  [[nodiscard]] uint64_t hash(std::string_view key) const { return hash_(key); }

 private:
  static KeyedHash random_hash() {
    SystemRandom random;
    return KeyedHash(random);
  }

  const KeyedHash hash_ = random_hash();
  mutable std::mutex mutex_;
  std::unordered_map<TenantId, std::shared_ptr<TenantQuota>> entries_;
};

}  // namespace partywall::cache
