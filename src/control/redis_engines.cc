#include "control/redis_engines.h"

#include "cache/provision.h"
#include "store/control/tenants.h"
#include "store/control/tiers.h"
#include "tenancy/cache_placement.h"
#include "tenancy/terms.h"

namespace partywall::control {
namespace {

// What Redis may run for a tenant is the one limit that its user's rules depend on.
Result<> set_scripts(Tenant& tenant, std::string_view json) {
  const auto value = JsonValue::parse(json);
  if (!value) return fail_with_context("tenant " + tenant.slug, value.error());
  Terms terms = terms_of(tenant);
  if (auto set = set_term(terms, "cache_scripts", *value); !set)
    return fail_with_context("tenant " + tenant.slug, set.error());
  apply(terms, tenant);
  return {};
}

// All that hold a place in one of the cell's Redis, whichever cell they are in, and whether they
// are there or on their way.
Result<std::vector<Tenant>> tenants_of_redis(store::Session& session, const Cell& cell,
                                             const CacheInstance& instance) {
  const auto rows = session.execute(
      "SELECT t.id, t.slug, p.cache_database, p.cache_tag, p.cache_placement, "
      "coalesce(o.value, i.terms -> 'cache_scripts')::text "
      "FROM partywall.cell_caches c JOIN partywall.placements p ON p.cache_server = c.address "
      "AND p.cache_server <> '' JOIN partywall.tenants t ON t.id = p.tenant "
      "JOIN partywall.tiers i ON i.name = t.tier "
      "LEFT JOIN partywall.overrides o ON o.tenant = t.id AND o.term = 'cache_scripts' "
      "WHERE c.cell = $1 AND c.name = $2 AND t.status <> 'erased' ORDER BY t.id",
      {cell.name, instance.name});
  if (!rows) return std::unexpected(rows.error());
  std::vector<Tenant> tenants;
  for (size_t row = 0; row < rows->size(); ++row) {
    const auto id = Uuid::parse(rows->text(row, 0));
    if (!id) return std::unexpected(id.error());
    const auto placement = parse_cache_placement(rows->text(row, 4));
    if (!placement) return std::unexpected(placement.error());
    Tenant tenant{.id = TenantId(*id),
                  .slug = std::string(rows->text(row, 1)),
                  .cell = cell.name,
                  .cache_instance = instance.name,
                  .cache_tag = std::string(rows->text(row, 3)),
                  .cache_placement = *placement};
    if (!rows->is_null(row, 5)) {
      auto set = set_scripts(tenant, rows->text(row, 5));
      if (!set) return std::unexpected(set.error());
    }
    if (!rows->is_null(row, 2)) tenant.cache_database = static_cast<uint32_t>(rows->number(row, 2));
    tenants.push_back(std::move(tenant));
  }
  return tenants;
}

Result<cache::RedisAdministrator> administrator_of(const Cell& cell) {
  if (cell.cache.administrator.empty()) {
    return fail(ErrorKind::kUnavailable,
                "cell {0}: the control plane makes no users in its Redis, because the cell names "
                "no 'administrator' of it: add cells.{0}.cache.administrator to the platform file "
                "and apply it",
                cell.name);
  }
  return cache::RedisAdministrator{.user = cell.cache.administrator,
                                   .password = cell.cache.administrator_password};
}

// As far as its user in Redis needs it.
Result<Tenant> to_redis_tenant(store::Session& session, const store::TenantRecord& record) {
  const auto tier = store::find_tier(session, record.tier);
  if (!tier) return std::unexpected(tier.error());
  return store::effective_tenant(record, tier->tier);
}

}  // namespace

Result<> RedisEngines::provision_cache(store::Session& session, const store::CellRecord& record) {
  const Cell& cell = record.cell;
  if (!cell.cache.present()) return {};
  const auto administrator = administrator_of(cell);
  if (!administrator) return std::unexpected(administrator.error());
  Result<> first;  // of the failures: one Redis that is down holds up no other
  for (const CacheInstance& instance : cell.cache.instances) {
    const auto tenants = tenants_of_redis(session, cell, instance);
    if (!tenants) return std::unexpected(tenants.error());
    const auto done = cache::provision_redis(cell.cache, instance, *administrator, *tenants);
    if (!done && first) {
      first = fail_with_context(fmt::format("cell {}, cache {}", cell.name, instance.name),
                                done.error());
    }
  }
  if (!first) return first;
  ready_[cell.name] = record.version;
  return {};
}

Result<> RedisEngines::provision_tenant(store::Session& session, const store::CellRecord& record,
                                        const store::TenantRecord& tenant) {
  const Cell& cell = record.cell;
  if (!cell.cache.present()) return {};
  const auto ready = ready_.find(cell.name);
  if (ready == ready_.end() || ready->second != record.version)
    return provision_cache(session, record);
  const auto administrator = administrator_of(cell);
  if (!administrator) return std::unexpected(administrator.error());
  const CacheInstance* const instance = cell.cache.find_instance(tenant.placement->cache_instance);
  if (!instance) {
    return fail(ErrorKind::kInvalid, "cell {} has no cache '{}'", cell.name,
                tenant.placement->cache_instance);
  }
  const auto wanted = to_redis_tenant(session, tenant);
  if (!wanted) return std::unexpected(wanted.error());
  auto provisioned = cache::provision_tenant(cell.cache, *instance, *administrator, *wanted);
  if (!provisioned) return fail_with_context("cell " + cell.name, provisioned.error());
  return {};
}

}  // namespace partywall::control
