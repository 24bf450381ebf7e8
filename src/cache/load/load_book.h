#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/time_budget.h"
#include "tenancy/tenant.h"

namespace partywall::cache {

// What a tenant's commands cost Redis.
struct TenantLoad {
  TimeBudget time;
};

// Of each tenant that has sent a command; one for the whole door. From any thread.
class LoadBook {
 public:
  std::shared_ptr<TenantLoad> of(TenantId tenant) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<TenantLoad>& entry = entries_[tenant];
    if (entry == nullptr) {
      entry = std::make_shared<TenantLoad>();
      new_.push_back(tenant);
    }
    return entry;
  }

  // Those that have come since the last call.
  std::vector<TenantId> take_new() {
    const std::lock_guard lock(mutex_);
    return std::exchange(new_, {});
  }
  [[nodiscard]] std::vector<TenantId> tenants() const {
    const std::lock_guard lock(mutex_);
    std::vector<TenantId> all;
    for (const auto& [tenant, load] : entries_) all.push_back(tenant);
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<TenantId, std::shared_ptr<TenantLoad>> entries_;
  std::vector<TenantId> new_;
};

}  // namespace partywall::cache
