#include "control/redis_engines.h"

#include "cache/provision.h"

namespace partywall::control {
namespace {

// All that hold a database in the cell's Redis, whichever cell they are in, and whether they are
// there or on their way.
Result<std::vector<Tenant>> tenants_of_redis(store::Session& session, const Cell& cell) {
  const auto rows = session.execute(
      "SELECT t.id, t.slug, p.cache_database FROM partywall.placements p "
      "JOIN partywall.tenants t ON t.id = p.tenant JOIN partywall.cells c ON "
      "c.cache_server = p.cache_server WHERE c.name = $1 AND c.cache_server <> '' "
      "AND t.status <> 'erased' ORDER BY t.id",
      {cell.name});
  if (!rows) return std::unexpected(rows.error());
  std::vector<Tenant> tenants;
  for (size_t row = 0; row < rows->size(); ++row) {
    const auto id = Uuid::parse(rows->text(row, 0));
    if (!id) return std::unexpected(id.error());
    tenants.push_back({.id = TenantId(*id),
                       .slug = std::string(rows->text(row, 1)),
                       .cell = cell.name,
                       .cache_database = static_cast<uint32_t>(rows->number(row, 2))});
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
          .cache_database = record.placement->cache_database.value_or(0)};
}

}  // namespace

Result<> RedisEngines::provision_cache(store::Session& session, const store::CellRecord& record) {
  const Cell& cell = record.cell;
  if (!cell.cache.present()) return {};
  const auto administrator = administrator_of(cell);
  if (!administrator) return std::unexpected(administrator.error());
  const auto tenants = tenants_of_redis(session, cell);
  if (!tenants) return std::unexpected(tenants.error());
  // One, as long as a placement does not say which of several holds the tenant (put_cell).
  auto provisioned =
      cache::provision_redis(cell.cache, cell.cache.instances.front(), *administrator, *tenants);
  if (!provisioned) return fail_with_context("cell " + cell.name, provisioned.error());
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
  auto provisioned = cache::provision_tenant(cell.cache, cell.cache.instances.front(),
                                             *administrator, to_redis_tenant(tenant));
  if (!provisioned) return fail_with_context("cell " + cell.name, provisioned.error());
  return {};
}

}  // namespace partywall::control
