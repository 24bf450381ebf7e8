#include "store/control/tenants.h"

#include <algorithm>

#include "base/json_writer.h"
#include "store/control/access.h"
#include "store/control/cell_caches.h"
#include "store/control/tenant_document.h"

namespace partywall::store {
namespace {

constexpr std::string_view kFiltered =
    " FROM partywall.tenants t WHERE ($1 = '' AND t.status <> 'erased' OR t.status = $1)"
    " AND ($2 = '' OR t.tier = $2)"
    " AND ($3 = '' OR EXISTS (SELECT FROM partywall.placements p WHERE p.tenant = t.id AND"
    " p.cell = $3))"
    " AND ($4 = '' OR strpos(t.slug, lower($4)) > 0 OR strpos(lower(t.name), lower($4)) > 0)";

std::vector<postgres::Parameter> parameters_of(const TenantFilter& filter) {
  return {filter.status ? std::string(to_string(*filter.status)) : "", filter.tier, filter.cell,
          filter.text};
}

Result<TenantRecord> read_tenant(const postgres::Rows& rows, size_t row) {
  const auto document = JsonValue::parse(rows.text(row));
  if (!document) return fail_with_context("tenant", document.error());
  return read_tenant_document(*document);
}

Result<TenantRecord> find_where(Session& session, std::string_view condition,
                                const std::string& value) {
  const auto rows = session.execute(
      fmt::format("SELECT {} FROM partywall.tenants t WHERE {}", tenant_document_sql(), condition),
      {value});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorKind::kNotFound, "there is no tenant '{}'", value);
  return read_tenant(*rows, 0);
}

JsonValue details(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  JsonObject object;
  for (const auto& [name, value] : members)
    object.push_back({std::string(name), JsonValue(std::string(value))});
  return JsonValue(std::move(object));
}

Result<TenantRecord> tenant_to_change(Change& change, TenantId id, ExpectedVersion expected) {
  auto tenant = find_tenant(change, id);
  if (!tenant) return tenant;
  if (expected && *expected != tenant->version) {
    return fail(ErrorKind::kConflict,
                "tenant {} was changed meanwhile: it is at version {}, not {}; read it again",
                tenant->slug, tenant->version, *expected);
  }
  return tenant;
}

}  // namespace

Result<std::vector<TenantRecord>> list_tenants(Session& session, const TenantFilter& filter,
                                               const TenantCursor& after, uint32_t most) {
  auto parameters = parameters_of(filter);
  parameters.emplace_back(after.slug);
  parameters.emplace_back(after.id.value().to_string());
  parameters.emplace_back(std::to_string(most));
  const auto rows = session.execute(
      fmt::format("SELECT {}{} AND (t.slug, t.id) > ($5, $6::uuid) ORDER BY t.slug, t.id "
                  "LIMIT $7::int",
                  tenant_document_sql(), kFiltered),
      parameters);
  if (!rows) return std::unexpected(rows.error());
  std::vector<TenantRecord> tenants;
  for (size_t row = 0; row < rows->size(); ++row) {
    auto tenant = read_tenant(*rows, row);
    if (!tenant) return std::unexpected(tenant.error());
    tenants.push_back(*std::move(tenant));
  }
  return tenants;
}

Result<uint64_t> count_tenants(Session& session, const TenantFilter& filter) {
  const auto rows =
      session.execute(fmt::format("SELECT count(*){}", kFiltered), parameters_of(filter));
  if (!rows) return std::unexpected(rows.error());
  return static_cast<uint64_t>(rows->number(0));
}

Result<TenantRecord> find_tenant(Session& session, TenantId id) {
  return find_where(session, "t.id = $1::uuid", id.value().to_string());
}

Result<TenantRecord> find_tenant(Session& session, std::string_view uuid_or_slug) {
  if (const auto id = Uuid::parse(uuid_or_slug)) return find_tenant(session, TenantId(*id));
  return find_where(session, "t.slug = $1 AND t.status <> 'erased'", std::string(uuid_or_slug));
}

Result<> insert_tenant(Change& change, const TenantRecord& tenant) {
  if (auto valid = check_slug(tenant.slug); !valid) return valid;
  if (auto is_free = check_slug_is_free_of_logins(change, tenant.slug); !is_free) return is_free;
  const std::string id = tenant.id.value().to_string();
  const auto inserted = change.execute(
      "INSERT INTO partywall.tenants (id, slug, name, tier, region, status, legal_hold, "
      "grace_ends_at) VALUES ($1::uuid, $2, $3, $4, $5, $6, $7::bool, "
      "to_timestamp($8::bigint / 1000.0))",
      {id, tenant.slug, tenant.name, tenant.tier, tenant.region,
       std::string(to_string(tenant.status)), tenant.legal_hold ? "t" : "f",
       to_parameter(tenant.grace_ends_at)});
  if (!inserted) return fail_with_context("tenant " + tenant.slug, inserted.error());
  const auto noted =
      change.note("tenant.created", tenant.id.value(), tenant.slug,
                  details({{"tier", tenant.tier}, {"status", to_string(tenant.status)}}));
  if (!noted) return noted;
  if (tenant.placement || tenant.target) {
    if (auto set = set_placement(change, tenant.id, tenant.placement, tenant.target); !set)
      return set;
  }
  for (const TermOverride& override : tenant.overrides) {
    if (auto set = set_override(change, tenant.id, override); !set) return set;
  }
  for (const SqlLogin& login : tenant.sql_logins) {
    if (auto put = put_sql_login(change, tenant.id, login); !put) return put;
  }
  for (const CacheLogin& login : tenant.cache_logins) {
    if (auto put = put_cache_login(change, tenant.id, login); !put) return put;
  }
  return {};
}

Result<> update_tenant(Change& change, TenantId id, const TenantPatch& patch,
                       ExpectedVersion expected) {
  const auto tenant = tenant_to_change(change, id, expected);
  if (!tenant) return std::unexpected(tenant.error());
  const std::string name = patch.name.value_or(tenant->name);
  const std::string tier = patch.tier.value_or(tenant->tier);
  const std::string region = patch.region.value_or(tenant->region);
  const auto updated = change.execute(
      "UPDATE partywall.tenants SET name = $2, tier = $3, region = $4 WHERE id = $1::uuid",
      {id.value().to_string(), name, tier, region});
  if (!updated) return fail_with_context("tenant " + tenant->slug, updated.error());
  if (tier != tenant->tier) {
    if (auto kept = keep_more_cache_databases(change, id); !kept) return kept;
  }
  return change.note("tenant.updated", id.value(), tenant->slug,
                     details({{"name", name}, {"tier", tier}, {"region", region}}));
}

Result<> set_tenant_state(Change& change, TenantId id, TenantStatus status, bool legal_hold,
                          std::optional<WallTime> grace_ends_at, std::string_view event,
                          ExpectedVersion expected) {
  const auto tenant = tenant_to_change(change, id, expected);
  if (!tenant) return std::unexpected(tenant.error());
  const auto updated = change.execute(
      "UPDATE partywall.tenants SET status = $2, legal_hold = $3::bool, "
      "grace_ends_at = to_timestamp($4::bigint / 1000.0) WHERE id = $1::uuid",
      {id.value().to_string(), std::string(to_string(status)), legal_hold ? "t" : "f",
       to_parameter(grace_ends_at)});
  if (!updated) return fail_with_context("tenant " + tenant->slug, updated.error());
  return change.note(event, id.value(), tenant->slug,
                     details({{"from", to_string(tenant->status)},
                              {"to", to_string(status)},
                              {"legal_hold", legal_hold ? "yes" : "no"}}));
}

Result<> delete_tenant(Change& change, TenantId id, ExpectedVersion expected) {
  const auto tenant = tenant_to_change(change, id, expected);
  if (!tenant) return std::unexpected(tenant.error());
  const auto deleted =
      change.execute("DELETE FROM partywall.tenants WHERE id = $1::uuid", {id.value().to_string()});
  if (!deleted) return fail_with_context("tenant " + tenant->slug, deleted.error());
  return change.note("tenant.deleted", id.value(), tenant->slug, details({}));
}

Result<Tenant> effective_tenant(const TenantRecord& record, const Tier& tier) {
  if (!record.placement)
    return fail(ErrorKind::kInvalid, "tenant {} is placed in no cell yet", record.slug);
  Terms terms = terms_of(tier);
  for (const TermOverride& override : record.overrides) {
    // One of a later release than this node's: the others count.
    auto set = set_term(terms, override.term, override.value);
    if (!set && set.error().kind != ErrorKind::kNotFound)
      return fail_with_context("tenant " + record.slug, set.error());
  }
  const Placement& placement = *record.placement;
  Tenant tenant{.id = record.id,
                .slug = record.slug,
                .name = record.name,
                .tier = record.tier,
                .cell = placement.cell,
                .region = record.region,
                .status = record.status,
                .cache_instance = placement.cache_instance,
                .cache_database = placement.cache_database.value_or(0),
                .cache_tag = placement.cache_tag,
                .cache_placement = placement.cache_placement};
  apply(terms, tenant);
  // The databases after those that are kept for it may be another tenant's, whatever its limit is.
  if (placement.cache_database) {
    tenant.limits.cache_databases =
        std::min(tenant.limits.cache_databases, placement.cache_databases);
  }
  return tenant;
}

}  // namespace partywall::store
