#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "embedded/secret_store.h"
#include "tenancy/tenant.h"

namespace partywall::embedded {

// A tenant of the embedded stack, with what its users log in with.
struct DemoTenant {
  TenantId id;
  std::string slug{};
  std::string name{};
  std::string tier{};
  uint32_t cache_database = 0;
  Secret sql_password{};
  Secret cache_secret{};
};

// acme (free) and globex (enterprise).
Result<std::vector<DemoTenant>> make_demo_tenants(SecretStore& secrets);

}  // namespace partywall::embedded
