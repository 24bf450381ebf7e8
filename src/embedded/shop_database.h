#pragma once

#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/random.h"
#include "base/result.h"
#include "embedded/demo_tenants.h"
#include "embedded/postgresql.h"
#include "embedded/shop.h"
#include "tenancy/cell.h"

namespace partywall::embedded {

// Makes the shop's database, its owner and its tables where they are missing, and protects them as
// `partywall schema protect` does. May be run at each start.
Result<> prepare_shop_database(const PostgresqlServer& server, const SqlBackend& backend,
                               const ShopFiles& files, Random& random);

// Runs each tenant's seed as that tenant, through the sql door. May be run again.
Result<> seed_shop(const Endpoint& sql_door, const std::vector<DemoTenant>& tenants,
                   const ShopFiles& files);

}  // namespace partywall::embedded
