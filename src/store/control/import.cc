#include "store/control/import.h"

#include <algorithm>
#include <unordered_map>

#include "store/control/access.h"
#include "store/control/cells.h"
#include "store/control/tenants.h"
#include "store/control/tiers.h"

namespace partywall::store {
namespace {

Result<> check_empty(Change& change) {
  for (const std::string_view table : {"tiers", "cells", "tenants", "routes", "issuers",
                                       "context_keys", "sql_logins", "cache_logins"}) {
    const auto found = change.execute(fmt::format("SELECT FROM partywall.{} LIMIT 1", table));
    if (!found) return std::unexpected(found.error());
    if (!found->empty()) {
      return fail(ErrorKind::kConflict,
                  "the control store has {} already; a platform file is imported into an empty one",
                  table);
    }
  }
  return {};
}

std::vector<TermOverride> overrides_of(const Tenant& tenant, const Tier& tier) {
  std::vector<TermOverride> overrides;
  const JsonValue differing = difference(terms_of(tenant), terms_of(tier));
  for (const JsonMember& member : *differing.as_object()) {
    overrides.push_back(
        {.term = member.name, .value = member.value, .reason = "from the platform file"});
  }
  return overrides;
}

Result<TenantRecord> record_of(const Tenant& tenant, const DirectoryData& data) {
  const auto tier = std::ranges::find(data.tiers, tenant.tier, &Tier::name);
  const auto cell = std::ranges::find(data.cells, tenant.cell, &Cell::name);
  if (tier == data.tiers.end() || cell == data.cells.end())
    return fail(ErrorKind::kInvalid, "tenant {}: its tier or cell is not there", tenant.slug);
  TenantRecord record;
  record.id = tenant.id;
  record.slug = tenant.slug;
  record.name = tenant.name;
  record.tier = tenant.tier;
  record.region = tenant.region;
  record.status = tenant.status;
  record.placement = Placement{.cell = tenant.cell,
                               .cache_instance = tenant.cache_instance,
                               .cache_tag = tenant.cache_tag,
                               .cache_placement = tenant.cache_placement};
  if (cell->cache.present() && cell->cache.mode == CacheMode::kDatabase) {
    record.placement->cache_database = tenant.cache_database;
    record.placement->cache_databases = tenant.limits.cache_databases;
  }
  record.overrides = overrides_of(tenant, *tier);
  return record;
}

using RecordsById = std::unordered_map<TenantId, TenantRecord>;

Result<RecordsById> tenants_with_logins(const DirectoryData& data) {
  RecordsById records;
  for (const Tenant& tenant : data.tenants) {
    auto record = record_of(tenant, data);
    if (!record) return std::unexpected(record.error());
    records.emplace(tenant.id, *std::move(record));
  }
  for (const SqlLogin& login : data.sql_logins) {
    if (login.tenant) records.at(*login.tenant).sql_logins.push_back(login);
  }
  for (const CacheLogin& login : data.cache_logins) {
    if (login.tenant) records.at(*login.tenant).cache_logins.push_back(login);
  }
  return records;
}

// Calls `put(item)` for each, until one fails.
template <class Items, class Put>
Result<> for_each(const Items& items, Put put) {
  for (const auto& item : items) {
    if (auto done = put(item); !done) return done;
  }
  return {};
}

Result<> import_access(Change& change, const DirectoryData& data) {
  auto done = for_each(data.routes, [&](const Route& route) { return put_route(change, route); });
  if (!done) return done;
  done = for_each(data.issuers, [&](const Issuer& issuer) { return put_issuer(change, issuer); });
  if (!done) return done;
  done = for_each(data.context_keys,
                  [&](const ContextKey& key) { return add_context_key(change, key); });
  if (!done) return done;
  done = for_each(data.sql_logins, [&](const SqlLogin& login) {
    return login.tenant ? Result<>() : put_sql_login(change, login);
  });
  if (!done) return done;
  return for_each(data.cache_logins, [&](const CacheLogin& login) {
    return login.tenant ? Result<>() : put_cache_login(change, login);
  });
}

}  // namespace

Result<> import_directory(Change& change, const DirectoryData& data) {
  if (auto empty = check_empty(change); !empty) return empty;
  const auto tenants = tenants_with_logins(data);
  if (!tenants) return std::unexpected(tenants.error());
  auto done = for_each(data.tiers, [&](const Tier& tier) { return put_tier(change, tier); });
  if (!done) return done;
  done = for_each(data.cells,
                  [&](const Cell& cell) { return put_cell(change, CellRecord{.cell = cell}); });
  if (!done) return done;
  if (auto access = import_access(change, data); !access) return access;
  return for_each(data.tenants, [&](const Tenant& tenant) {
    return insert_tenant(change, tenants->at(tenant.id));
  });
}

}  // namespace partywall::store
