#include "store/control/tenant_document.h"

#include "store/control/access_document.h"
#include "store/control/json_fields.h"
#include "tenancy/cache_placement.h"

namespace partywall::store {
namespace {

Result<TermOverride> read_override(const JsonValue& value) {
  JsonFields fields(value, "override");
  TermOverride override{.term = fields.text("term"),
                        .value = JsonValue(),
                        .expires_at = fields.optional_time("expires_at"),
                        .reason = fields.text("reason")};
  if (const JsonValue* const set = fields.optional_value("value")) override.value = *set;
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return override;
}

Result<std::optional<Placement>> read_placement(const JsonValue* value) {
  if (!value) return std::optional<Placement>();
  JsonFields fields(*value, "placement");
  Placement placement{
      .cell = fields.text("cell"),
      .cache_instance = fields.optional_text("cache_instance"),
      .cache_database = fields.optional_number<uint32_t>("cache_database"),
      .cache_databases = fields.optional_number<uint32_t>("cache_databases").value_or(1),
      .cache_tag = fields.optional_text("cache_tag")};
  if (const std::string way = fields.optional_text("cache_placement"); !way.empty())
    placement.cache_placement = fields.take(parse_cache_placement(way));
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return std::optional(std::move(placement));
}

template <class Item, class Read>
auto append_to(std::vector<Item>& items, Read read) {
  return [&items, read](const JsonValue& value) -> Result<> {
    auto item = read(value);
    if (!item) return std::unexpected(item.error());
    items.push_back(*std::move(item));
    return {};
  };
}

Result<SqlLogin> read_sql_login(const JsonValue& value) {
  auto record = read_sql_login_document(value);
  if (!record) return std::unexpected(record.error());
  return std::move(record->login);
}

Result<CacheLogin> read_cache_login(const JsonValue& value) {
  auto record = read_cache_login_document(value);
  if (!record) return std::unexpected(record.error());
  return std::move(record->login);
}

}  // namespace

std::string_view tenant_document_sql() {
  return R"sql(
json_build_object(
  'id', t.id, 'slug', t.slug, 'name', t.name, 'tier', t.tier, 'region', t.region,
  'status', t.status, 'legal_hold', t.legal_hold,
  'grace_ends_at', (extract(epoch FROM t.grace_ends_at) * 1000)::bigint,
  'placement', (SELECT json_build_object('cell', p.cell, 'cache_instance', p.cache_instance,
      'cache_database', p.cache_database, 'cache_databases', p.cache_databases,
      'cache_tag', p.cache_tag, 'cache_placement', p.cache_placement)
    FROM partywall.placements p WHERE p.tenant = t.id AND p.role = 'current'),
  'target', (SELECT json_build_object('cell', p.cell, 'cache_instance', p.cache_instance,
      'cache_database', p.cache_database, 'cache_databases', p.cache_databases,
      'cache_tag', p.cache_tag, 'cache_placement', p.cache_placement)
    FROM partywall.placements p WHERE p.tenant = t.id AND p.role = 'target'),
  'overrides', (SELECT coalesce(json_agg(json_build_object('term', o.term, 'value', o.value,
      'expires_at', (extract(epoch FROM o.expires_at) * 1000)::bigint, 'reason', o.reason)
      ORDER BY o.term), '[]') FROM partywall.overrides o WHERE o.tenant = t.id),
  'sql_logins', (SELECT coalesce(json_agg(json_build_object('user', l.user_name,
      'class', l.class, 'verifier', l.verifier, 'database', l.database, 'cell', l.cell,
      'tenant', l.tenant, 'addresses', l.addresses, 'version', l.version)
      ORDER BY l.user_name), '[]') FROM partywall.sql_logins l WHERE l.tenant = t.id),
  'cache_logins', (SELECT coalesce(json_agg(json_build_object('user', l.user_name,
      'secret_sha256', l.secret_sha256, 'tenant', l.tenant, 'version', l.version)
      ORDER BY l.user_name), '[]') FROM partywall.cache_logins l WHERE l.tenant = t.id),
  'created_at', (extract(epoch FROM t.created_at) * 1000)::bigint,
  'updated_at', (extract(epoch FROM t.updated_at) * 1000)::bigint,
  'version', t.version)::text)sql";
}

Result<TenantRecord> read_tenant_document(const JsonValue& document) {
  JsonFields fields(document, "tenant");
  TenantRecord tenant;
  tenant.id = TenantId(fields.take(Uuid::parse(fields.text("id"))));
  tenant.slug = fields.text("slug");
  fields.take(check_slug(tenant.slug));
  tenant.name = fields.text("name");
  tenant.tier = fields.text("tier");
  tenant.region = fields.text("region");
  tenant.status = fields.take(parse_tenant_status(fields.text("status")));
  tenant.legal_hold = fields.flag("legal_hold");
  tenant.grace_ends_at = fields.optional_time("grace_ends_at");
  tenant.placement = fields.take(read_placement(fields.optional_value("placement")));
  tenant.target = fields.take(read_placement(fields.optional_value("target")));
  fields.each("overrides", append_to(tenant.overrides, read_override));
  fields.each("sql_logins", append_to(tenant.sql_logins, read_sql_login));
  fields.each("cache_logins", append_to(tenant.cache_logins, read_cache_login));
  tenant.created_at = fields.time("created_at");
  tenant.updated_at = fields.time("updated_at");
  tenant.version = fields.number<uint64_t>("version");
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return tenant;
}

}  // namespace partywall::store
