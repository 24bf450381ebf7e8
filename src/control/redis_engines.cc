#include "control/redis_engines.h"

#include "cache/provision.h"
#include "tenancy/cache_placement.h"

namespace partywall::control {
namespace {

// All that hold a place in one of the cell's Redis, whichever cell they are in, and whether they
// are there or on their way.
Result<std::vector<Tenant>> tenants_of_redis(store::Session& session, const Cell& cell,
                                             const CacheInstance& instance) {
  const auto rows = session.execute(
      "SELECT t.id, t.slug, p.cache_database, p.cache_tag, p.cache_placement "
      "FROM partywall.cell_caches c JOIN partywall.placements p ON p.cache_server = c.address "
      "AND p.cache_server <> '' JOIN partywall.tenants t ON t.id = p.tenant "
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
    if (!rows->is_null(row, 2)) tenant.cache_database = static_cast<uint32_t>(rows->number(row, 2));
    tenants.push_back(std::move(tenant));
  }
  return tenants;
}

Result<cache::RedisAdministrator> administrator_of(const Cell& cell) {
  if (cell.cache.administrator.empty()) {
    return fail(ErrorKind::kUnavailable,
                "cell {}: the control plane makes no users in its Redis, because the cell names no "
                "'administrator' of it",
                cell.name);
  }
  return cache::RedisAdministrator{.user = cell.cache.administrator,
                                   .password = cell.cache.administrator_password};
}

// As far as its user in Redis needs it.
Tenant to_redis_tenant(const store::TenantRecord& record) {
  return {.id = record.id,
          .slug = record.slug,
          .cell = record.placement->cell,
          .cache_instance = record.placement->cache_instance,
          .cache_database = record.placement->cache_database.value_or(0),
          .cache_tag = record.placement->cache_tag,
          .cache_placement = record.placement->cache_placement};
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
  auto provisioned =
      cache::provision_tenant(cell.cache, *instance, *administrator, to_redis_tenant(tenant));
  if (!provisioned) return fail_with_context("cell " + cell.name, provisioned.error());
  return {};
}

}  // namespace partywall::control
