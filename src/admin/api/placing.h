#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "admin/api/api_error.h"
#include "admin/api/json_body.h"
#include "store/control/cell_caches.h"
#include "store/control/operations.h"
#include "store/control/records.h"
#include "tenancy/placement.h"

// Placement: the policy of tenancy/placement.h, asked about what the store holds.
namespace partywall::admin {

// Members "isolation" (shared or dedicated) and "cell" of the object.
PlacementWish read_wish(JsonReader& reader, const std::string& region);

// Where the tenant's keys are to be, within the cell that it gets.
struct CacheWish {
  std::string instance;              // empty: the one with the fewest tenants
  std::optional<uint32_t> database;  // none: the lowest with room
  uint32_t databases = 1;            // so many in a row
  std::string tag;                   // in prefix mode; empty: a short one that nobody has
  CachePlacement placement = CachePlacement::kTagged;
};

// Members "cache_instance", "cache_database", "cache_tag" and "cache_placement".
CacheWish read_cache_wish(JsonReader& reader);
// How many databases the limits of a tenant grant it.
uint32_t databases_of(const Tier& tier, const std::vector<store::TermOverride>& overrides);

// Finds places within one transaction, for one tenant or for many.
class Placer {
 public:
  static ApiResult<Placer> load(store::Session& session, uint32_t cache_databases);

  // A cell, and where that has caches a place in one of them. What was given out counts for the
  // next call.
  ApiResult<store::Placement> place(store::Session& session, const PlacementWish& wish,
                                    const CacheWish& cache_wish);

 private:
  ApiResult<> place_in_cache(store::Session& session, const CacheWish& wish,
                             store::Placement& placement);

  std::vector<CellCandidate> candidates_;
  std::map<std::string, CacheBackend, std::less<>> caches_;  // of the cells that have some
  std::map<std::string, std::vector<store::CacheUse>, std::less<>> uses_;  // of those asked for
  uint32_t cache_databases_ = 0;
};

// 409 if the tenant's data is where a constraint to `region` does not allow it.
ApiResult<> check_stay(store::Session& session, const store::TenantRecord& tenant,
                       const std::string& region);

// The operation that makes its place at each door.
store::Operation provisioning_of(const store::TenantRecord& tenant, Random& random);

}  // namespace partywall::admin
