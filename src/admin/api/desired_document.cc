#include "admin/api/desired_document.h"

#include <algorithm>

#include "admin/api/cell_body.h"
#include "admin/api/json_body.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "identity/scram.h"
#include "store/control/cell_document.h"
#include "tenancy/cache_placement.h"
#include "tenancy/shipped_tiers.h"
#include "tenancy/terms.h"

namespace partywall::admin {
namespace {

constexpr size_t kMostOfAKind = 100'000;
constexpr std::string_view kLimit = "limits.";

// Secrets are compared, and shown as changed, by a part of their digest.
std::string fingerprint(std::string_view secret) {
  return "sha256:" + to_hex(as_bytes(sha256(secret))).substr(0, 16);
}

// Calls `read(element, place)` for each element of the member, if it is there.
template <class Read>
ApiResult<> each(JsonReader& reader, std::string_view name, Read read) {
  const JsonArray* const elements = reader.array(name, kMostOfAKind);
  if (!elements) return {};
  for (size_t i = 0; i < elements->size(); ++i) {
    if (auto done = read((*elements)[i], fmt::format("{}[{}]", name, i)); !done) return done;
  }
  return {};
}

ApiResult<> limits_of(const JsonValue* limits, std::string_view where, Terms& terms) {
  if (!limits) return {};
  if (auto set = set_terms(terms, *limits); !set)
    return refuse(Error{ErrorKind::kInvalid, fmt::format("{}: {}", where, set.error().message)});
  return {};
}

void add_limits(const Terms& terms, ResourceFields& fields) {
  for (const std::string_view name : term_names())
    fields[std::string(kLimit) + std::string(name)] = to_json_text(get_term(terms, name));
}

// Keeps of `fields` what `desired` has too, and all that begins with one of the prefixes.
void keep_mentioned(ResourceFields& fields, const Resource& desired, std::string_view prefix) {
  std::erase_if(fields, [&](const auto& field) {
    return !desired.fields.contains(field.first) &&
           (prefix.empty() || !field.first.starts_with(prefix));
  });
}

ResourceFields cell_fields(const store::CellRecord& cell) {
  ResourceFields fields{{"kind", cell.cell.kind == CellKind::kDedicated ? "dedicated" : "shared"},
                        {"region", cell.cell.region},
                        {"max_tenants", fmt::format("{}", cell.max_tenants)},
                        {"parts", to_json_text(store::cell_parts(cell.cell))}};
  Cell copy = cell.cell;
  for (const std::string_view name : store::cell_secret_names()) {
    const Secret& secret = *store::find_cell_secret(copy, name);
    if (!secret.empty()) fields[fmt::format("secret.{}", name)] = fingerprint(secret.reveal());
  }
  return fields;
}

ResourceFields tenant_fields(const store::TenantRecord& tenant) {
  ResourceFields fields{{"name", tenant.name}, {"tier", tenant.tier}, {"region", tenant.region}};
  if (tenant.placement) {
    fields["cell"] = tenant.placement->cell;
    fields["cache_instance"] = tenant.placement->cache_instance;
    if (tenant.placement->cache_database)
      fields["cache_database"] = fmt::format("{}", *tenant.placement->cache_database);
    fields["cache_tag"] = tenant.placement->cache_tag;
    fields["cache_placement"] = to_string(tenant.placement->cache_placement);
  }
  for (const store::TermOverride& single : tenant.overrides) {
    // One for a time only is an operator's, and no business of the document.
    if (!single.expires_at) fields[std::string(kLimit) + single.term] = to_json_text(single.value);
  }
  for (const SqlLogin& login : tenant.sql_logins)
    fields["login.sql." + login.user] = fingerprint(login.verifier);
  for (const CacheLogin& login : tenant.cache_logins) {
    fields["login.cache." + login.user] = fingerprint(
        {reinterpret_cast<const char*>(login.secret_sha256.data()), login.secret_sha256.size()});
  }
  return fields;
}

ApiResult<> read_tier(const JsonValue& value, const std::string& where, Desired& desired) {
  JsonReader reader(value, where);
  Tier tier = shipped_tiers().front();
  tier.name = reader.required_text("name");
  const JsonValue* const limits = reader.any("limits");
  if (auto done = reader.result(); !done) return done;
  if (auto valid = check_slug(tier.name); !valid) return refuse(valid.error());
  Terms terms = terms_of(tier);
  if (auto set = limits_of(limits, where, terms); !set) return set;
  apply(terms, tier);
  desired.resources.push_back(current_resource(store::TierRecord{.tier = tier}));
  desired.tiers[tier.name] = std::move(tier);
  return {};
}

ApiResult<> read_desired_cell(const JsonValue& value, const std::string& where, Desired& desired) {
  const std::string* const name = value.find_string("name");
  if (!name) return refuse(invalid_body(where + ".name is missing"));
  JsonObject body = *value.as_object();
  std::erase_if(body, [](const JsonMember& member) { return member.name == "name"; });
  auto cell = read_cell(JsonValue(std::move(body)), *name, nullptr);
  if (!cell) return refuse(cell.error());
  Resource resource{.kind = ResourceKind::kCell, .name = *name, .fields = cell_fields(*cell)};
  if (!value.find("max_tenants")) resource.fields.erase("max_tenants");
  desired.resources.push_back(std::move(resource));
  desired.cells[*name] = *std::move(cell);
  return {};
}

ApiResult<> read_route(const JsonValue& value, const std::string& where, Desired& desired) {
  JsonReader reader(value, where);
  Route route{.path_prefix = reader.required_text("path_prefix"),
              .pool = reader.required_text("pool"),
              .authenticated = reader.flag("authenticated").value_or(true)};
  if (auto done = reader.result(); !done) return done;
  if (!route.path_prefix.starts_with('/'))
    return refuse(invalid_body(where + ".path_prefix must begin with '/'"));
  desired.resources.push_back(current_resource(store::RouteRecord{.route = route}));
  std::string prefix = route.path_prefix;
  desired.routes[std::move(prefix)] = std::move(route);
  return {};
}

ApiResult<> read_logins(JsonReader& reader, store::TenantRecord& tenant) {
  if (const auto verifier = reader.text("sql_verifier", 500)) {
    if (!ScramVerifier::parse(*verifier)) reader.reject("sql_verifier", "is no SCRAM verifier");
    tenant.sql_logins.push_back(
        {.user = tenant.slug, .login_class = LoginClass::kBound, .verifier = *verifier});
  }
  if (const auto digest = reader.text("cache_secret_sha256")) {
    CacheLogin login{.user = tenant.slug};
    const auto bytes = decode_hex(*digest);
    if (!bytes || bytes->size() != login.secret_sha256.size()) {
      reader.reject("cache_secret_sha256", "must be 64 hexadecimal digits");
    } else {
      std::ranges::copy(*bytes, login.secret_sha256.begin());
    }
    tenant.cache_logins.push_back(std::move(login));
  }
  return {};
}

ApiResult<> read_limits(const JsonValue* limits, const std::string& where,
                        store::TenantRecord& tenant) {
  if (!limits) return {};
  Terms terms;
  if (auto set = limits_of(limits, where, terms); !set) return set;
  for (const JsonMember& member : *limits->as_object()) {
    // As the store will write it: a rate may be written in part, and in any order.
    tenant.overrides.push_back({.term = member.name,
                                .value = get_term(terms, member.name),
                                .expires_at = std::nullopt,
                                .reason = "applied"});
  }
  return {};
}

ApiResult<> read_tenant(const JsonValue& value, const std::string& where, Desired& desired) {
  JsonReader reader(value, where);
  DesiredTenant made;
  store::TenantRecord& tenant = made.record;
  tenant.slug = reader.required_text("slug");
  tenant.name = reader.text("name").value_or(tenant.slug);
  tenant.tier = reader.required_text("tier");
  tenant.region = reader.text("region").value_or("");
  const auto id = reader.text("id");
  const auto cell = reader.text("cell");
  made.cache = read_cache_wish(reader);
  const JsonValue* const limits = reader.any("limits");
  if (auto logins = read_logins(reader, tenant); !logins) return logins;
  if (auto done = reader.result(); !done) return done;
  if (auto valid = check_slug(tenant.slug); !valid) return refuse(valid.error());
  if (auto read = read_limits(limits, where, tenant); !read) return read;
  if (id) {
    const auto parsed = Uuid::parse(*id);
    if (!parsed || parsed->is_nil()) return refuse(invalid_body(where + ".id must be a UUID"));
    made.id = TenantId(*parsed);
  }
  if (cell) {
    tenant.placement = store::Placement{.cell = *cell,
                                        .cache_instance = made.cache.instance,
                                        .cache_database = made.cache.database,
                                        .cache_tag = made.cache.tag,
                                        .cache_placement = made.cache.placement};
  }
  Resource resource{
      .kind = ResourceKind::kTenant, .name = tenant.slug, .fields = tenant_fields(tenant)};
  for (const std::string_view name : {"cache_instance", "cache_tag", "cache_placement"}) {
    if (!value.find(name)) resource.fields.erase(std::string(name));
  }
  if (made.id) resource.fields["id"] = made.id->value().to_string();
  desired.resources.push_back(std::move(resource));
  std::string slug = tenant.slug;
  desired.tenants[std::move(slug)] = std::move(made);
  return {};
}

}  // namespace

ApiResult<Desired> read_desired(const JsonValue& document) {
  JsonReader reader(document);
  Desired desired;
  const auto read_kind = [&](std::string_view name, ResourceKind kind, auto read) {
    if (reader.has(name)) desired.kinds.push_back(kind);
    reader.take(each(reader, name, [&](const JsonValue& value, const std::string& where) {
      return read(value, where, desired);
    }));
  };
  read_kind("tiers", ResourceKind::kTier, read_tier);
  read_kind("cells", ResourceKind::kCell, read_desired_cell);
  read_kind("routes", ResourceKind::kRoute, read_route);
  read_kind("tenants", ResourceKind::kTenant, read_tenant);
  if (auto done = reader.result(); !done) return refuse(done.error());
  return desired;
}

Resource current_resource(const store::TierRecord& tier) {
  Resource resource{.kind = ResourceKind::kTier, .name = tier.tier.name, .fields = {}};
  add_limits(terms_of(tier.tier), resource.fields);
  return resource;
}

Resource current_resource(const store::CellRecord& cell, const Resource& desired) {
  Resource resource{
      .kind = ResourceKind::kCell, .name = cell.cell.name, .fields = cell_fields(cell)};
  keep_mentioned(resource.fields, desired, "");
  return resource;
}

Resource current_resource(const store::RouteRecord& route) {
  return {.kind = ResourceKind::kRoute,
          .name = route.route.path_prefix,
          .fields = {{"pool", route.route.pool},
                     {"authenticated", route.route.authenticated ? "true" : "false"}}};
}

Resource current_resource(const store::TenantRecord& tenant, const Resource& desired) {
  Resource resource{
      .kind = ResourceKind::kTenant, .name = tenant.slug, .fields = tenant_fields(tenant)};
  resource.fields["id"] = tenant.id.value().to_string();
  // A document may say that its keys begin with its id, as they do where nothing else is said.
  if (const auto tag = resource.fields.find("cache_tag");
      tag != resource.fields.end() && tag->second.empty()) {
    tag->second = tenant.id.value().to_string();
  }
  keep_mentioned(resource.fields, desired, kLimit);
  return resource;
}

}  // namespace partywall::admin
