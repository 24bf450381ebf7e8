#include "store/control/tenants.h"

#include "admin/api/endpoint.h"
#include "admin/api/json_body.h"
#include "admin/api/placing.h"
#include "admin/api/resource_json.h"
#include "base/json_writer.h"
#include "store/control/operations.h"
#include "tenancy/terms.h"

// Tenants: list, create, show, change.
namespace partywall::admin {
namespace {

constexpr std::string_view kStatuses = "status";

ApiResult<store::TenantFilter> read_filter(const Query& query) {
  store::TenantFilter filter{.status = std::nullopt,
                             .tier = query.text("tier"),
                             .cell = query.text("cell"),
                             .text = query.text("text")};
  if (query.has(kStatuses)) {
    const auto status = parse_tenant_status(query.text(kStatuses));
    if (!status) return refuse(invalid_body(status.error().message));
    filter.status = *status;
  }
  return filter;
}

ApiResult<store::TenantCursor> read_tenant_cursor(const Query& query) {
  if (!query.has("cursor")) return store::TenantCursor{};
  const auto parts = read_cursor(query.text("cursor"), 2);
  if (!parts) return refuse(parts.error());
  const auto id = Uuid::parse((*parts)[1]);
  if (!id) return refuse(invalid_body("cursor: take it from the last page"));
  return store::TenantCursor{.slug = (*parts)[0], .id = TenantId(*id)};
}

std::string tenant_text(const store::TenantRecord& tenant, const Tiers& tiers) {
  return to_json_text(to_json(tenant, tiers));
}

// A tenant-admin's list is its tenant.
ApiResult<Answer> list_own(const Call& call, store::Session& session) {
  const auto tiers = load_tiers(session);
  if (!tiers) return refuse(tiers.error());
  const auto tenant = store::find_tenant(session, *call.principal.tenant);
  if (!tenant) return refuse(tenant.error());
  JsonArray items;
  items.push_back(to_json(*tenant, *tiers));
  return Answer{.body = page_json(std::move(items), std::nullopt)};
}

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto filter = read_filter(call.query);
    if (!filter) return refuse(filter.error());
    const auto after = read_tenant_cursor(call.query);
    if (!after) return refuse(after.error());
    const auto most = call.query.number("limit", kUsualPage, 1, kLargestPage);
    if (!most) return refuse(most.error());
    if (call.principal.role == Role::kTenantAdmin) return list_own(call, session);
    const auto tiers = load_tiers(session);
    if (!tiers) return refuse(tiers.error());
    // One more than asked for says whether there is a next page.
    auto tenants = store::list_tenants(session, *filter, *after, static_cast<uint32_t>(*most) + 1);
    if (!tenants) return refuse(tenants.error());
    std::optional<std::string> next;
    if (tenants->size() > static_cast<size_t>(*most)) {
      tenants->pop_back();
      const store::TenantRecord& last = tenants->back();
      next = write_cursor({last.slug, last.id.value().to_string()});
    }
    JsonArray items;
    for (const store::TenantRecord& tenant : *tenants) items.push_back(to_json(tenant, *tiers));
    return Answer{.body = page_json(std::move(items), std::move(next))};
  });
}

ApiResult<Answer> show(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, session);
    if (!tenant) return refuse(tenant.error());
    const auto tiers = load_tiers(session);
    if (!tiers) return refuse(tiers.error());
    return Answer{.body = tenant_text(*tenant, *tiers), .version = tenant->version};
  });
}

ApiResult<> read_limits(const JsonValue* limits, const Tier& tier,
                        std::vector<store::TermOverride>& overrides) {
  if (!limits) return {};
  const JsonObject* const members = limits->as_object();
  if (!members) return refuse(invalid_body("limits must be an object"));
  Terms terms = terms_of(tier);
  for (const JsonMember& member : *members) {
    if (auto set = set_term(terms, member.name, member.value); !set)
      return refuse(Error{ErrorKind::kInvalid, "limits: " + set.error().message});
    overrides.push_back({.term = member.name,
                         .value = member.value,
                         .expires_at = std::nullopt,
                         .reason = "set when the tenant was created"});
  }
  return {};
}

struct NewTenant {
  store::TenantRecord record;
  PlacementWish wish;
  CacheWish cache_wish;
};

ApiResult<NewTenant> read_new_tenant(const Call& call, store::Session& session) {
  const auto body = parse_body(call.request);
  if (!body) return refuse(body.error());
  JsonReader reader(*body);
  NewTenant made;
  store::TenantRecord& tenant = made.record;
  tenant.slug = reader.required_text("slug");
  tenant.name = reader.text("name").value_or(tenant.slug);
  tenant.tier = reader.text("tier").value_or("free");
  tenant.region = reader.text("region").value_or("");
  const auto id = reader.text("id");
  made.wish = read_wish(reader, tenant.region);
  made.cache_wish = read_cache_wish(reader);
  const JsonValue* const limits = reader.any("limits");
  if (auto done = reader.result(); !done) return refuse(done.error());
  if (auto valid = check_slug(tenant.slug); !valid) return refuse(valid.error());
  const auto parsed = id ? Uuid::parse(*id) : Result<Uuid>(Uuid::random(call.random));
  if (!parsed || parsed->is_nil()) return refuse(invalid_body("id must be a UUID"));
  tenant.id = TenantId(*parsed);
  const auto tiers = load_tiers(session);
  if (!tiers) return refuse(tiers.error());
  const auto tier = tiers->find(tenant.tier);
  if (tier == tiers->end())
    return refuse(Error{ErrorKind::kInvalid, fmt::format("there is no tier '{}'", tenant.tier)});
  if (auto set = read_limits(limits, tier->second, tenant.overrides); !set)
    return refuse(set.error());
  made.cache_wish.databases = databases_of(tier->second, tenant.overrides);
  return made;
}

ApiResult<Answer> create(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    auto made = read_new_tenant(call, change);
    if (!made) return refuse(made.error());
    store::TenantRecord& tenant = made->record;
    auto placer = Placer::load(change, call.settings.cache_databases);
    if (!placer) return refuse(placer.error());
    auto placement = placer->place(change, made->wish, made->cache_wish);
    if (!placement) return refuse(placement.error());
    tenant.placement = *std::move(placement);
    if (auto inserted = store::insert_tenant(change, tenant); !inserted)
      return refuse(inserted.error());
    const store::Operation operation = provisioning_of(tenant, call.random);
    if (auto begun = store::insert_operation(change, operation); !begun)
      return refuse(begun.error());
    const auto stored = store::find_tenant(change, tenant.id);
    if (!stored) return refuse(stored.error());
    const auto tiers = load_tiers(change);
    if (!tiers) return refuse(tiers.error());
    std::string body = to_json_text(
        JsonValue(JsonObject{{"tenant", to_json(*stored, *tiers)},
                             {"operation", JsonValue(operation.id.value().to_string())}}));
    return Answer{.status = 202, .body = std::move(body), .version = stored->version};
  });
}

ApiResult<Answer> update(const Call& call) {
  return change(call, [&](store::Change& change) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, change);
    if (!tenant) return refuse(tenant.error());
    if (auto match = check_if_match(call, tenant->version); !match) return refuse(match.error());
    const auto body = parse_body(call.request);
    if (!body) return refuse(body.error());
    JsonReader reader(*body);
    const store::TenantPatch patch{
        .name = reader.text("name"), .tier = reader.text("tier"), .region = reader.text("region")};
    if (auto done = reader.result(); !done) return refuse(done.error());
    if (patch.region && tenant->placement) {
      if (auto stays = check_stay(change, *tenant, *patch.region); !stays)
        return refuse(stays.error());
    }
    const auto tiers = load_tiers(change);
    if (!tiers) return refuse(tiers.error());
    if (patch.tier && !tiers->contains(*patch.tier))
      return refuse(Error{ErrorKind::kInvalid, fmt::format("there is no tier '{}'", *patch.tier)});
    if (auto updated = store::update_tenant(change, tenant->id, patch); !updated)
      return refuse(updated.error());
    const auto stored = store::find_tenant(change, tenant->id);
    if (!stored) return refuse(stored.error());
    return Answer{.body = tenant_text(*stored, *tiers), .version = stored->version};
  });
}

}  // namespace

void add_tenant_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/tenants",
                       .summary = "Tenants in the order of their slugs, a page at a time",
                       .access = {Role::kViewer, TenantAdmins::kFiltered},
                       .handler = answering(list),
                       .query = {"status", "tier", "cell", "text", "limit", "cursor"},
                       .response_schema = "TenantPage"});
  endpoints.push_back(
      {.method = "POST",
       .pattern = "/v1/tenants",
       .summary = "Create a tenant: a cell is chosen for it, and its provisioning begins",
       .access = {Role::kOperator},
       .handler = answering(create),
       .request_schema = "NewTenant",
       .response_schema = "TenantWithOperation",
       .success = 202});
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/tenants/{tenant}",
                       .summary = "A tenant, by slug or id, with the limits that count for it now",
                       .access = {Role::kViewer, TenantAdmins::kOwnTenant},
                       .handler = answering(show),
                       .response_schema = "Tenant"});
  endpoints.push_back({.method = "PATCH",
                       .pattern = "/v1/tenants/{tenant}",
                       .summary = "Change name, tier or region of a tenant; a tier counts at once",
                       .access = {Role::kOperator},
                       .handler = answering(update),
                       .request_schema = "TenantPatch",
                       .response_schema = "Tenant",
                       .if_match = IfMatch::kRequired});
}

}  // namespace partywall::admin
