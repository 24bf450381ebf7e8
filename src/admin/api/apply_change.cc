#include "admin/api/apply_change.h"

#include <algorithm>

#include "base/json_writer.h"
#include "store/control/access.h"
#include "store/control/cells.h"
#include "store/control/tenants.h"
#include "store/control/tiers.h"
#include "tenancy/life_cycle.h"

namespace partywall::admin {
namespace {

constexpr std::string_view kLimit = "limits.";

// What an apply does not change: it would move the tenant's data, or make it another tenant.
Result<> check_fixed_fields(const ResourceChange& what) {
  for (const FieldChange& field : what.fields) {
    if (field.name == "cell" || field.name.starts_with("cache_")) {
      return fail(ErrorKind::kConflict,
                  "its {} would go from {} to {}; move it with `partywall tenant move`", field.name,
                  field.before.value_or("none"), field.after.value_or("none"));
    }
    if (field.name == "id") {
      return fail(ErrorKind::kConflict, "its id is {}, and never changes",
                  field.before.value_or("none"));
    }
  }
  return {};
}

}  // namespace

Result<> ChangeApplier::apply(store::Change& change, const ResourceChange& what) {
  switch (what.kind) {
    case ResourceKind::kTier:
      return apply_tier(change, what);
    case ResourceKind::kCell:
      return apply_cell(change, what);
    case ResourceKind::kRoute:
      return apply_route(change, what);
    case ResourceKind::kTenant:
      break;
  }
  if (what.action == ChangeAction::kDelete) return offboard_tenant(change, what.name);
  const DesiredTenant& wanted = desired_.tenants.find(what.name)->second;
  return what.action == ChangeAction::kCreate ? create_tenant(change, wanted)
                                              : update_tenant(change, what, wanted);
}

Result<> ChangeApplier::apply_tier(store::Change& change, const ResourceChange& what) {
  tiers_.erase(what.name);
  if (what.action == ChangeAction::kDelete) return store::remove_tier(change, what.name);
  return store::put_tier(change, desired_.tiers.find(what.name)->second);
}

Result<> ChangeApplier::apply_cell(store::Change& change, const ResourceChange& what) {
  placer_.reset();
  if (what.action == ChangeAction::kDelete) return store::remove_cell(change, what.name);
  store::CellRecord wanted = desired_.cells.find(what.name)->second;
  if (what.action == ChangeAction::kUpdate) {
    const auto before = store::find_cell(change, what.name);
    if (!before) return std::unexpected(before.error());
    wanted.state = before->state;
    const bool says_how_many = std::ranges::any_of(desired_.resources, [&](const Resource& one) {
      return one.kind == ResourceKind::kCell && one.name == what.name &&
             one.fields.contains("max_tenants");
    });
    if (!says_how_many) wanted.max_tenants = before->max_tenants;
  }
  return store::put_cell(change, wanted);
}

Result<> ChangeApplier::apply_route(store::Change& change, const ResourceChange& what) {
  if (what.action == ChangeAction::kDelete) return store::remove_route(change, what.name);
  return store::put_route(change, desired_.routes.find(what.name)->second);
}

Result<uint32_t> ChangeApplier::databases_for(store::Session& session,
                                              const store::TenantRecord& tenant) {
  auto tier = tiers_.find(tenant.tier);
  if (tier == tiers_.end()) {
    auto found = store::find_tier(session, tenant.tier);
    if (!found) return std::unexpected(found.error());
    tier = tiers_.emplace(tenant.tier, std::move(found->tier)).first;
  }
  return databases_of(tier->second, tenant.overrides);
}

Result<> ChangeApplier::create_tenant(store::Change& change, const DesiredTenant& wanted) {
  store::TenantRecord tenant = wanted.record;
  tenant.id = wanted.id.value_or(TenantId(Uuid::random(random_)));
  if (!placer_) {
    auto loaded = Placer::load(change, settings_.cache_databases);
    if (!loaded) return std::unexpected(Error(loaded.error()));
    placer_ = *std::move(loaded);
  }
  const PlacementWish wish{.region = tenant.region,
                           .cell = tenant.placement ? tenant.placement->cell : ""};
  CacheWish cache_wish = wanted.cache;
  const auto databases = databases_for(change, tenant);
  if (!databases) return std::unexpected(databases.error());
  cache_wish.databases = *databases;
  auto placement = placer_->place(change, wish, cache_wish);
  if (!placement) return std::unexpected(Error(placement.error()));
  tenant.placement = *std::move(placement);
  for (SqlLogin& login : tenant.sql_logins) login.tenant = tenant.id;
  for (CacheLogin& login : tenant.cache_logins) login.tenant = tenant.id;
  if (auto inserted = store::insert_tenant(change, tenant); !inserted) return inserted;
  return store::insert_operation(change, provisioning_of(tenant, random_));
}

Result<> ChangeApplier::update_tenant(store::Change& change, const ResourceChange& what,
                                      const DesiredTenant& wanted) {
  if (auto fixed = check_fixed_fields(what); !fixed) return fixed;
  const auto tenant = store::find_tenant(change, what.name);
  if (!tenant) return std::unexpected(tenant.error());
  if (tenant->region != wanted.record.region && tenant->placement) {
    if (auto stays = check_stay(change, *tenant, wanted.record.region); !stays)
      return std::unexpected(Error(stays.error()));
  }
  const bool renamed = tenant->name != wanted.record.name || tenant->tier != wanted.record.tier ||
                       tenant->region != wanted.record.region;
  if (renamed) {
    auto updated = store::update_tenant(
        change, tenant->id,
        {.name = wanted.record.name, .tier = wanted.record.tier, .region = wanted.record.region});
    if (!updated) return updated;
  }
  for (const FieldChange& field : what.fields) {
    if (!field.name.starts_with(kLimit)) continue;
    const std::string term = field.name.substr(kLimit.size());
    if (field.after) continue;
    if (auto removed = store::remove_override(change, tenant->id, term); !removed) return removed;
  }
  for (const store::TermOverride& single : wanted.record.overrides) {
    if (auto set = store::set_override(change, tenant->id, single); !set) return set;
  }
  for (SqlLogin login : wanted.record.sql_logins) {
    login.tenant = tenant->id;
    if (auto put = store::put_sql_login(change, tenant->id, login); !put) return put;
  }
  for (CacheLogin login : wanted.record.cache_logins) {
    login.tenant = tenant->id;
    if (auto put = store::put_cache_login(change, tenant->id, login); !put) return put;
  }
  return {};
}

Result<> ChangeApplier::offboard_tenant(store::Change& change, const std::string& slug) {
  const auto tenant = store::find_tenant(change, slug);
  if (!tenant) return std::unexpected(tenant.error());
  const LifeCycleStep result =
      step({.status = tenant->status, .legal_hold = tenant->legal_hold}, TenantCommand::kOffboard);
  if (result.outcome != StepOutcome::kMoved) return {};
  return store::set_tenant_state(
      change, tenant->id, result.next.status, result.next.legal_hold,
      now_ + std::chrono::duration_cast<milliseconds>(settings_.grace_period),
      "tenant.offboarding");
}

}  // namespace partywall::admin
