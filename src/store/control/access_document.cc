#include "store/control/access_document.h"

#include <algorithm>
#include <array>

#include "base/hex.h"
#include "store/control/json_fields.h"
#include "store/control/sealed_text.h"

namespace partywall::store {
namespace {

struct ClassName {
  LoginClass login_class;
  std::string_view name;
};
constexpr std::array<ClassName, 4> kClassNames = {{{LoginClass::kBound, "bound"},
                                                   {LoginClass::kApplication, "application"},
                                                   {LoginClass::kAsserting, "asserting"},
                                                   {LoginClass::kMigration, "migration"}}};

Result<LoginClass> parse_class(std::string_view text) {
  const auto found = std::ranges::find(kClassNames, text, &ClassName::name);
  if (found == kClassNames.end())
    return fail(ErrorKind::kInvalid, "'{}' is no class of logins", text);
  return found->login_class;
}

Result<std::optional<TenantId>> parse_tenant(const JsonValue* value) {
  if (!value) return std::optional<TenantId>();
  const std::string* const text = value->as_string();
  if (!text) return fail(ErrorKind::kInvalid, "tenant is no string");
  const auto id = Uuid::parse(*text);
  if (!id) return std::unexpected(id.error());
  return std::optional(TenantId(*id));
}

}  // namespace

std::string_view route_document_sql() {
  return "json_build_object('path_prefix', t.path_prefix, 'pool', t.pool, "
         "'authenticated', t.authenticated, 'version', t.version)::text";
}

Result<RouteRecord> read_route_document(const JsonValue& document) {
  JsonFields fields(document, "route");
  RouteRecord record{.route = {.path_prefix = fields.text("path_prefix"),
                               .pool = fields.text("pool"),
                               .authenticated = fields.flag("authenticated")},
                     .version = fields.number<uint64_t>("version")};
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return record;
}

std::string_view issuer_document_sql() {
  return "json_build_object('issuer', t.issuer, 'audience', t.audience, "
         "'tenant_claim', t.tenant_claim, 'default_algorithm', t.default_algorithm, "
         "'leeway_ms', t.leeway_ms, 'key_set', t.sealed_key_set, 'version', t.version)::text";
}

Result<IssuerRecord> read_issuer_document(const JsonValue& document, const SealingKey& key) {
  JsonFields fields(document, "issuer");
  IssuerRecord record;
  Issuer& issuer = record.issuer;
  issuer.issuer = fields.text("issuer");
  issuer.audience = fields.text("audience");
  issuer.tenant_claim = fields.text("tenant_claim");
  issuer.default_algorithm = fields.text("default_algorithm");
  issuer.leeway = fields.duration_ms("leeway_ms");
  record.version = fields.number<uint64_t>("version");
  const Secret key_set =
      fields.take(open_text(key, key_set_purpose(issuer.issuer), fields.text("key_set")));
  issuer.key_set = std::string(key_set.reveal());
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return record;
}

std::string_view context_key_document_sql() {
  return "json_build_object('id', t.id, 'position', t.position, 'key', t.sealed_key, "
         "'created_at', (extract(epoch FROM t.created_at) * 1000)::bigint, "
         "'version', t.version)::text";
}

Result<ContextKeyRecord> read_context_key_document(const JsonValue& document,
                                                   const SealingKey& key) {
  JsonFields fields(document, "context key");
  ContextKeyRecord record;
  record.key.id = fields.number<uint8_t>("id");
  record.position = fields.number<int32_t>("position");
  record.created_at = fields.time("created_at");
  record.version = fields.number<uint64_t>("version");
  record.key.key =
      fields.take(open_text(key, context_key_purpose(record.key.id), fields.text("key")));
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return record;
}

std::string_view sql_login_document_sql() {
  return "json_build_object('user', t.user_name, 'class', t.class, 'verifier', t.verifier, "
         "'database', t.database, 'cell', t.cell, 'tenant', t.tenant, "
         "'addresses', t.addresses, 'version', t.version)::text";
}

Result<SqlLoginRecord> read_sql_login_document(const JsonValue& document) {
  JsonFields fields(document, "sql login");
  SqlLoginRecord record;
  SqlLogin& login = record.login;
  login.user = fields.text("user");
  login.login_class = fields.take(parse_class(fields.text("class")));
  login.verifier = fields.text("verifier");
  login.database = fields.text("database");
  if (fields.optional_value("cell")) login.cell = fields.text("cell");
  login.tenant = fields.take(parse_tenant(fields.optional_value("tenant")));
  fields.each("addresses", [&](const JsonValue& element) -> Result<> {
    const std::string* const text = element.as_string();
    auto block = AddressBlock::parse(text ? *text : "");
    if (!block) return std::unexpected(block.error());
    login.addresses.push_back(*block);
    return {};
  });
  record.version = fields.number<uint64_t>("version");
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return record;
}

std::string_view cache_login_document_sql() {
  return "json_build_object('user', t.user_name, 'secret_sha256', t.secret_sha256, "
         "'tenant', t.tenant, 'version', t.version)::text";
}

Result<CacheLoginRecord> read_cache_login_document(const JsonValue& document) {
  JsonFields fields(document, "cache login");
  CacheLoginRecord record;
  CacheLogin& login = record.login;
  login.user = fields.text("user");
  login.tenant = fields.take(parse_tenant(fields.optional_value("tenant")));
  if (fields.optional_value("secret_sha256")) {
    const auto digest = decode_hex(fields.text("secret_sha256"));
    if (!digest || digest->size() != login.secret_sha256.size()) {
      fields.take(Result<>(fail(ErrorKind::kInvalid, "secret_sha256 is no SHA-256")));
    } else {
      std::ranges::copy(*digest, login.secret_sha256.begin());
    }
  }
  record.version = fields.number<uint64_t>("version");
  if (auto read = fields.result(); !read) return std::unexpected(read.error());
  return record;
}

std::string key_set_purpose(std::string_view issuer) { return fmt::format("issuer {}", issuer); }
std::string context_key_purpose(uint8_t id) { return fmt::format("context_key {}", id); }

std::string_view to_string(LoginClass login_class) {
  return std::ranges::find(kClassNames, login_class, &ClassName::login_class)->name;
}

Result<> check_user_of_tenant(std::string_view user, std::string_view slug) {
  constexpr size_t kMostBytes = 63;  // what PostgreSQL's clients may send as a name
  const bool is_own = user == slug || (user.starts_with(slug) && user.size() > slug.size() + 1 &&
                                       user[slug.size()] == '.');
  if (is_own && user.size() <= kMostBytes) return {};
  return fail(
      ErrorKind::kInvalid,
      "'{}' is no login of tenant {}: those are called '{}' or '{}.<name>', with at most {} "
      "bytes",
      user, slug, slug, slug, kMostBytes);
}

}  // namespace partywall::store
