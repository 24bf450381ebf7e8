#include "admin/api/resource_json.h"

#include "base/json_writer.h"
#include "base/rfc3339.h"
#include "store/control/cell_document.h"
#include "store/control/tiers.h"
#include "tenancy/cache_placement.h"
#include "tenancy/terms.h"

namespace partywall::admin {
namespace {

JsonValue text(std::string_view value) { return JsonValue(std::string(value)); }
JsonValue time(WallTime value) { return JsonValue(format_rfc3339(value)); }
JsonValue time(const std::optional<WallTime>& value) { return value ? time(*value) : JsonValue(); }
JsonValue id(const std::optional<TenantId>& tenant) {
  return tenant ? JsonValue(tenant->value().to_string()) : JsonValue();
}

JsonValue placement(const std::optional<store::Placement>& placement) {
  if (!placement) return JsonValue();
  JsonObject object{{"cell", text(placement->cell)}};
  if (!placement->cache_instance.empty())
    object.push_back({"cache_instance", text(placement->cache_instance)});
  if (placement->cache_database) {
    object.push_back({"cache_database", JsonValue(uint64_t{*placement->cache_database})});
    object.push_back({"cache_databases", JsonValue(uint64_t{placement->cache_databases})});
  }
  if (!placement->cache_tag.empty()) object.push_back({"cache_tag", text(placement->cache_tag)});
  if (placement->cache_placement != CachePlacement::kTagged)
    object.push_back({"cache_placement", text(to_string(placement->cache_placement))});
  return JsonValue(std::move(object));
}

JsonValue overrides(const std::vector<store::TermOverride>& overrides) {
  JsonArray array;
  for (const store::TermOverride& single : overrides) {
    array.emplace_back(JsonObject{{"limit", text(single.term)},
                                  {"value", single.value},
                                  {"expires_at", time(single.expires_at)},
                                  {"reason", text(single.reason)}});
  }
  return JsonValue(std::move(array));
}

JsonValue effective_limits(const store::TenantRecord& tenant, const Tiers& tiers) {
  const auto tier = tiers.find(tenant.tier);
  if (tier == tiers.end()) return JsonValue();
  Terms terms = terms_of(tier->second);
  for (const store::TermOverride& single : tenant.overrides) {
    // One that this release does not know is shown among the overrides, and counts for nothing.
    (void)set_term(terms, single.term, single.value);
  }
  return to_json(terms);
}

JsonValue logins(const store::TenantRecord& tenant) {
  JsonArray array;
  for (const SqlLogin& login : tenant.sql_logins)
    array.emplace_back(JsonObject{{"door", text("sql")}, {"user", text(login.user)}});
  for (const CacheLogin& login : tenant.cache_logins)
    array.emplace_back(JsonObject{{"door", text("cache")}, {"user", text(login.user)}});
  return JsonValue(std::move(array));
}

}  // namespace

Result<Tiers> load_tiers(store::Session& session) {
  auto records = store::list_tiers(session);
  if (!records) return std::unexpected(records.error());
  Tiers tiers;
  for (store::TierRecord& record : *records) {
    std::string name = record.tier.name;
    tiers.emplace(std::move(name), std::move(record.tier));
  }
  return tiers;
}

JsonValue to_json(const store::TenantRecord& tenant, const Tiers& tiers) {
  return JsonValue(JsonObject{{"id", JsonValue(tenant.id.value().to_string())},
                              {"slug", text(tenant.slug)},
                              {"name", text(tenant.name)},
                              {"tier", text(tenant.tier)},
                              {"region", text(tenant.region)},
                              {"status", text(to_string(tenant.status))},
                              {"legal_hold", JsonValue(tenant.legal_hold)},
                              {"grace_ends_at", time(tenant.grace_ends_at)},
                              {"placement", placement(tenant.placement)},
                              {"target", placement(tenant.target)},
                              {"limits", effective_limits(tenant, tiers)},
                              {"overrides", overrides(tenant.overrides)},
                              {"logins", logins(tenant)},
                              {"created_at", time(tenant.created_at)},
                              {"updated_at", time(tenant.updated_at)},
                              {"version", JsonValue(tenant.version)}});
}

JsonValue to_json(const store::TierRecord& tier) {
  return JsonValue(JsonObject{{"name", text(tier.tier.name)},
                              {"limits", to_json(terms_of(tier.tier))},
                              {"version", JsonValue(tier.version)}});
}

JsonValue to_json(const store::CellRecord& cell) {
  const bool dedicated = cell.cell.kind == CellKind::kDedicated;
  return JsonValue(JsonObject{{"name", text(cell.cell.name)},
                              {"kind", text(dedicated ? "dedicated" : "shared")},
                              {"region", text(cell.cell.region)},
                              {"state", text(cell.state)},
                              {"tenants", JsonValue(uint64_t{cell.tenants})},
                              {"max_tenants", JsonValue(uint64_t{cell.max_tenants})},
                              {"parts", store::cell_parts(cell.cell)},
                              {"version", JsonValue(cell.version)}});
}

JsonValue to_json(const store::RouteRecord& route) {
  return JsonValue(JsonObject{{"path_prefix", text(route.route.path_prefix)},
                              {"pool", text(route.route.pool)},
                              {"authenticated", JsonValue(route.route.authenticated)},
                              {"version", JsonValue(route.version)}});
}

JsonValue to_json(const store::Operation& operation) {
  return JsonValue(JsonObject{
      {"id", JsonValue(operation.id.value().to_string())},
      {"kind", text(operation.kind)},
      {"tenant", id(operation.tenant)},
      {"subject", text(operation.subject)},
      {"status", text(to_string(operation.status))},
      {"step", text(operation.step)},
      {"progress", JsonValue(JsonObject{{"done", JsonValue(operation.progress_done)},
                                        {"total", JsonValue(operation.progress_total)}})},
      {"attempts", JsonValue(uint64_t{operation.attempts})},
      {"message", text(operation.message)},
      {"actor", text(operation.actor)},
      {"reason", text(operation.reason)},
      {"created_at", time(operation.created_at)},
      {"updated_at", time(operation.updated_at)}});
}

JsonValue to_json(const store::Event& event) {
  return JsonValue(JsonObject{{"id", JsonValue(event.id)},
                              {"at", time(event.at)},
                              {"type", text(event.type)},
                              {"tenant", id(event.tenant)},
                              {"subject", text(event.subject)},
                              {"actor", text(event.actor)},
                              {"data", event.data}});
}

JsonValue to_json(const store::AdminTokenRecord& token) {
  return JsonValue(JsonObject{{"id", JsonValue(token.id.value().to_string())},
                              {"name", text(token.name)},
                              {"role", text(token.role)},
                              {"tenant", id(token.tenant)},
                              {"created_at", time(token.created_at)},
                              {"expires_at", time(token.expires_at)},
                              {"revoked_at", time(token.revoked_at)}});
}

std::string page_json(JsonArray items, std::optional<std::string> next) {
  return to_json_text(
      JsonValue(JsonObject{{"items", JsonValue(std::move(items))},
                           {"next", next ? JsonValue(*std::move(next)) : JsonValue()}}));
}

}  // namespace partywall::admin
