#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "tenancy/tenant.h"

namespace partywall::http {

// How much of a tenant's load may be attempts that follow a failed one: when everything fails,
// retries would otherwise multiply the load of an application that has too much of it already. Each
// request earns its tenant a fifth of a retry (20 %), up to a reserve; so no tenant spends what
// another has earned. One per worker.
class RetryBudgets {
 public:
  static constexpr uint32_t kUnitsOfRetry = 5;  // what one costs; a request earns one unit
  static constexpr uint32_t kReserve = 10 * kUnitsOfRetry;

  void earn(TenantNumber tenant) {
    uint32_t& spent = spent_of(tenant);
    if (spent > 0) --spent;
  }
  // False: not now.
  bool spend(TenantNumber tenant) {
    uint32_t& spent = spent_of(tenant);
    if (spent + kUnitsOfRetry > kReserve) return false;
    spent += kUnitsOfRetry;
    return true;
  }

 private:
  uint32_t& spent_of(TenantNumber tenant) { return spent_[tenant]; }

  std::unordered_map<TenantNumber, uint32_t> spent_;  // of the reserve
};

}  // namespace partywall::http
