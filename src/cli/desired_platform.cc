#include "cli/desired_platform.h"

#include <algorithm>
#include <unordered_map>

#include "base/hex.h"
#include "store/control/cell_document.h"
#include "tenancy/cache_placement.h"
#include "tenancy/terms.h"

namespace partywall::cli {
namespace {

JsonValue text(std::string_view value) { return JsonValue(std::string(value)); }

JsonValue tier_document(const Tier& tier) {
  return JsonValue(JsonObject{{"name", text(tier.name)}, {"limits", to_json(terms_of(tier))}});
}

JsonValue cell_document(const Cell& cell) {
  JsonObject secrets;
  Cell copy = cell;
  for (const std::string_view name : store::cell_secret_names()) {
    const Secret& secret = *store::find_cell_secret(copy, name);
    if (secret.empty()) continue;
    secrets.push_back({std::string(name),
                       text(store::is_hexadecimal_secret(name) ? to_hex(secret.reveal())
                                                               : std::string(secret.reveal()))});
  }
  // What a provider found is not the file's.
  for (Pool& pool : copy.pools) {
    if (pool.is_provided) pool.instances.clear();
  }
  return JsonValue(
      JsonObject{{"name", text(cell.name)},
                 {"kind", text(cell.kind == CellKind::kDedicated ? "dedicated" : "shared")},
                 {"region", text(cell.region)},
                 {"parts", store::cell_parts(copy)},
                 {"secrets", JsonValue(std::move(secrets))}});
}

JsonValue route_document(const Route& route) {
  return JsonValue(JsonObject{{"path_prefix", text(route.path_prefix)},
                              {"pool", text(route.pool)},
                              {"authenticated", JsonValue(route.authenticated)}});
}

Terms terms_of_tenant(const Tenant& tenant) {
  return {.limits = tenant.limits, .alarms = tenant.alarms, .weight = tenant.weight};
}

// Where its keys are. The store would choose one of several caches and a tag of its own; the file
// means the first one, and the tenant's id.
void add_cache_place(const Tenant& tenant, const CacheBackend& cache, JsonObject& object) {
  const CacheInstance* const instance = cache.find_instance(tenant.cache_instance);
  if (!instance) return;
  object.push_back({"cache_instance", text(instance->name)});
  if (cache.mode == CacheMode::kDatabase) {
    object.push_back({"cache_database", JsonValue(uint64_t{tenant.cache_database})});
    return;
  }
  object.push_back({"cache_tag", text(tenant.cache_tag.empty() ? tenant.id.value().to_string()
                                                               : tenant.cache_tag)});
  object.push_back({"cache_placement", text(to_string(tenant.cache_placement))});
}

JsonValue tenant_document(const Tenant& tenant, const Tier& tier, const CacheBackend& caches,
                          const SqlLogin* sql, const CacheLogin* cache) {
  JsonObject object{{"slug", text(tenant.slug)},     {"id", text(tenant.id.value().to_string())},
                    {"name", text(tenant.name)},     {"tier", text(tenant.tier)},
                    {"region", text(tenant.region)}, {"cell", text(tenant.cell)}};
  add_cache_place(tenant, caches, object);
  JsonValue limits = difference(terms_of_tenant(tenant), terms_of(tier));
  if (!limits.as_object()->empty()) object.push_back({"limits", std::move(limits)});
  if (sql) object.push_back({"sql_verifier", text(sql->verifier)});
  if (cache) {
    object.push_back({"cache_secret_sha256",
                      text(to_hex({reinterpret_cast<const char*>(cache->secret_sha256.data()),
                                   cache->secret_sha256.size()}))});
  }
  return JsonValue(std::move(object));
}

template <class Login>
std::unordered_map<std::string_view, const Login*> by_user(const std::vector<Login>& logins) {
  std::unordered_map<std::string_view, const Login*> index;
  for (const Login& login : logins) {
    if (login.tenant) index[login.user] = &login;
  }
  return index;
}

}  // namespace

JsonValue desired_document(const DirectoryData& directory) {
  JsonArray tiers, cells, routes, tenants;
  for (const Tier& tier : directory.tiers) tiers.push_back(tier_document(tier));
  for (const Cell& cell : directory.cells) cells.push_back(cell_document(cell));
  for (const Route& route : directory.routes) routes.push_back(route_document(route));
  const auto sql = by_user(directory.sql_logins);
  const auto cache = by_user(directory.cache_logins);
  for (const Tenant& tenant : directory.tenants) {
    const Tier& tier = *std::ranges::find(directory.tiers, tenant.tier, &Tier::name);
    const Cell& cell = *std::ranges::find(directory.cells, tenant.cell, &Cell::name);
    const auto sql_login = sql.find(tenant.slug);
    const auto cache_login = cache.find(tenant.slug);
    tenants.push_back(tenant_document(tenant, tier, cell.cache,
                                      sql_login == sql.end() ? nullptr : sql_login->second,
                                      cache_login == cache.end() ? nullptr : cache_login->second));
  }
  return JsonValue(JsonObject{{"tiers", JsonValue(std::move(tiers))},
                              {"cells", JsonValue(std::move(cells))},
                              {"routes", JsonValue(std::move(routes))},
                              {"tenants", JsonValue(std::move(tenants))}});
}

}  // namespace partywall::cli
