#pragma once

#include <map>
#include <optional>
#include <string>

#include "admin/api/desired_document.h"
#include "admin/api/placing.h"
#include "admin/api/settings.h"
#include "store/control/control_store.h"

namespace partywall::admin {

// Carries out changes of an apply, one after the other, within one transaction.
class ChangeApplier {
 public:
  // All of them outlive it.
  ChangeApplier(const Desired& desired, const ApiSettings& settings, WallTime now, Random& random)
      : desired_(desired), settings_(settings), now_(now), random_(random) {}

  Result<> apply(store::Change& change, const ResourceChange& what);

 private:
  Result<> apply_tier(store::Change& change, const ResourceChange& what);
  Result<> apply_cell(store::Change& change, const ResourceChange& what);
  Result<> apply_route(store::Change& change, const ResourceChange& what);
  // How many cache databases its limits grant the tenant.
  Result<uint32_t> databases_for(store::Session& session, const store::TenantRecord& tenant);
  Result<> create_tenant(store::Change& change, const DesiredTenant& wanted);
  Result<> update_tenant(store::Change& change, const ResourceChange& what,
                         const DesiredTenant& wanted);
  Result<> offboard_tenant(store::Change& change, const std::string& slug);

  const Desired& desired_;
  const ApiSettings& settings_;
  const WallTime now_;
  Random& random_;
  std::optional<Placer> placer_;
  std::map<std::string, Tier, std::less<>> tiers_;  // those that were asked for
};

}  // namespace partywall::admin
