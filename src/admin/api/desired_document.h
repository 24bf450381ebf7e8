#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "admin/api/api_error.h"
#include "admin/api/placing.h"
#include "base/json.h"
#include "store/control/records.h"
#include "tenancy/desired_state.h"

// What an apply wants: the document of a caller as records, and as resources to be compared.
namespace partywall::admin {

struct DesiredTenant {
  store::TenantRecord record;  // `placement` only where the document names it
  CacheWish cache;
  std::optional<TenantId> id;
};

struct Desired {
  std::map<std::string, Tier, std::less<>> tiers;
  std::map<std::string, store::CellRecord, std::less<>> cells;
  std::map<std::string, Route, std::less<>> routes;
  std::map<std::string, DesiredTenant, std::less<>> tenants;
  std::vector<Resource> resources;
  std::vector<ResourceKind> kinds;  // that the document has at all: only those are pruned
};

ApiResult<Desired> read_desired(const JsonValue& document);

// The fields of what is there, named as those of `desired`; what the document does not mention is
// left out, so that it does not count as a difference.
Resource current_resource(const store::TierRecord& tier);
Resource current_resource(const store::CellRecord& cell, const Resource& desired);
Resource current_resource(const store::RouteRecord& route);
Resource current_resource(const store::TenantRecord& tenant, const Resource& desired);

}  // namespace partywall::admin
