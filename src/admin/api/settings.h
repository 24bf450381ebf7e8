#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "store/control/control_store.h"
#include "tenancy/access.h"

namespace partywall::admin {

struct ApiSettings {
  store::ControlStoreSettings store;
  // OpenID Connect: issuers of tokens for people. `tenant_claim` is the claim with the role:
  // "viewer", "operator", "owner", or "tenant-admin:<slug or id>".
  std::vector<Issuer> issuers{};
  RateLimit calls{.tokens = 1'200, .period = minutes(1), .burst = 200};      // of one principal
  RateLimit failed_logins{.tokens = 10, .period = minutes(1), .burst = 20};  // of one address
  Duration grace_period = hours(24 * 30);  // from offboarding to the first possible erasure
  uint32_t cache_databases = 1'024;        // of one Redis, fixed at its start
};

}  // namespace partywall::admin
