#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "admin/api/api_error.h"
#include "admin/api/json_body.h"
#include "store/control/operations.h"
#include "store/control/records.h"
#include "tenancy/placement.h"

// Placement: the policy of tenancy/placement.h, asked about what the store holds.
namespace partywall::admin {

// Members "isolation" (shared or dedicated) and "cell" of the object.
PlacementWish read_wish(JsonReader& reader, const std::string& region);

// Finds places within one transaction, for one tenant or for many.
class Placer {
 public:
  static ApiResult<Placer> load(store::Session& session, uint32_t cache_databases);

  // A cell, and where that has a cache a database of its own: the given one, else the lowest that
  // is free. What was given out counts for the next call.
  ApiResult<store::Placement> place(store::Session& session, const PlacementWish& wish,
                                    std::optional<uint32_t> cache_database = {});

 private:
  std::vector<CellCandidate> candidates_;
  std::set<std::string, std::less<>> with_cache_;
  std::map<std::string, std::set<uint32_t>, std::less<>> used_;  // by cell, once it was asked for
  uint32_t cache_databases_ = 0;
};

// 409 if the tenant's data is where a constraint to `region` does not allow it.
ApiResult<> check_stay(store::Session& session, const store::TenantRecord& tenant,
                       const std::string& region);

// The operation that makes its place at each door.
store::Operation provisioning_of(const store::TenantRecord& tenant, Random& random);

}  // namespace partywall::admin
