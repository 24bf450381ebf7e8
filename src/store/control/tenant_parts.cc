#include "base/crypto.h"
#include "base/hex.h"
#include "base/json_writer.h"
#include "store/control/access_document.h"
#include "store/control/cell_caches.h"
#include "store/control/tenants.h"
#include "tenancy/cache_placement.h"

// What belongs to a tenant: placement, overrides, logins.
namespace partywall::store {
namespace {

std::string id_of(TenantId id) { return id.value().to_string(); }

// The subject of what is noted; kNotFound for a tenant that is not there.
Result<std::string> slug_of(Change& change, TenantId id) {
  const auto rows =
      change.execute("SELECT slug FROM partywall.tenants WHERE id = $1::uuid", {id_of(id)});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorKind::kNotFound, "there is no tenant '{}'", id_of(id));
  return std::string(rows->text(0));
}

Result<> note(Change& change, TenantId id, std::string_view event, JsonObject data) {
  const auto slug = slug_of(change, id);
  if (!slug) return std::unexpected(slug.error());
  return change.note(event, id.value(), *slug, JsonValue(std::move(data)));
}

Result<> put_placement(Change& change, TenantId id, std::string_view role,
                       const std::optional<Placement>& placement) {
  if (!placement) {
    const auto removed =
        change.execute("DELETE FROM partywall.placements WHERE tenant = $1::uuid AND role = $2",
                       {id_of(id), std::string(role)});
    if (!removed) return std::unexpected(removed.error());
    return {};
  }
  if (!placement->cache_tag.empty()) {
    if (auto valid = check_cache_tag(placement->cache_tag); !valid) return valid;
  }
  postgres::Parameter database;
  if (placement->cache_database) database = std::to_string(*placement->cache_database);
  const auto put = change.execute(
      "INSERT INTO partywall.placements (tenant, role, cell, cache_instance, cache_database, "
      "cache_databases, cache_tag, cache_placement) "
      "VALUES ($1::uuid, $2, $3, $4, $5::int, $6::int, $7, $8) "
      "ON CONFLICT (tenant, role) DO UPDATE SET cell = excluded.cell, "
      "cache_instance = excluded.cache_instance, cache_database = excluded.cache_database, "
      "cache_databases = excluded.cache_databases, cache_tag = excluded.cache_tag, "
      "cache_placement = excluded.cache_placement",
      {id_of(id), std::string(role), placement->cell, placement->cache_instance, database,
       std::to_string(placement->cache_databases), placement->cache_tag,
       std::string(to_string(placement->cache_placement))});
  if (!put) return fail_with_context("cell " + placement->cell, put.error());
  return {};
}

// After a change of a tenant's limit.
Result<> keep_databases(Change& change, TenantId id, std::string_view term) {
  return term == "cache_databases" ? keep_more_cache_databases(change, id) : Result<>();
}

JsonValue user_of(std::string_view user) { return JsonValue(std::string(user)); }

}  // namespace

Result<> set_placement(Change& change, TenantId id, const std::optional<Placement>& current,
                       const std::optional<Placement>& target) {
  if (auto known = slug_of(change, id); !known) return std::unexpected(known.error());
  // The target first gives up what the current placement may be about to take over.
  if (auto put = put_placement(change, id, "target", std::nullopt); !put) return put;
  if (auto put = put_placement(change, id, "current", current); !put) return put;
  if (auto put = put_placement(change, id, "target", target); !put) return put;
  return note(change, id, "tenant.placed",
              {{"cell", JsonValue(current ? current->cell : std::string())},
               {"target", JsonValue(target ? target->cell : std::string())}});
}

Result<> set_override(Change& change, TenantId id, const TermOverride& override) {
  Terms any;
  if (auto valid = set_term(any, override.term, override.value); !valid) return valid;
  if (auto known = slug_of(change, id); !known) return std::unexpected(known.error());
  const auto put = change.execute(
      "INSERT INTO partywall.overrides (tenant, term, value, expires_at, reason) "
      "VALUES ($1::uuid, $2, $3::jsonb, to_timestamp($4::bigint / 1000.0), $5) "
      "ON CONFLICT (tenant, term) DO UPDATE SET value = excluded.value, "
      "expires_at = excluded.expires_at, reason = excluded.reason",
      {id_of(id), override.term, to_json_text(override.value), to_parameter(override.expires_at),
       override.reason});
  if (!put) return std::unexpected(put.error());
  if (auto kept = keep_databases(change, id, override.term); !kept) return kept;
  return note(change, id, "tenant.limit_overridden",
              {{"limit", JsonValue(override.term)}, {"value", override.value}});
}

Result<> remove_override(Change& change, TenantId id, std::string_view term) {
  const auto removed =
      change.execute("DELETE FROM partywall.overrides WHERE tenant = $1::uuid AND term = $2",
                     {id_of(id), std::string(term)});
  if (!removed) return std::unexpected(removed.error());
  if (removed->affected() == 0)
    return fail(ErrorKind::kNotFound, "the tenant has no override of '{}'", term);
  if (auto kept = keep_databases(change, id, term); !kept) return kept;
  return note(change, id, "tenant.limit_restored", {{"limit", user_of(term)}});
}

Result<uint64_t> remove_expired_overrides(Change& change) {
  const auto removed = change.execute(
      "DELETE FROM partywall.overrides WHERE expires_at <= now() RETURNING tenant, term");
  if (!removed) return std::unexpected(removed.error());
  for (size_t row = 0; row < removed->size(); ++row) {
    const auto id = Uuid::parse(removed->text(row, 0));
    if (!id) return std::unexpected(id.error());
    if (auto kept = keep_databases(change, TenantId(*id), removed->text(row, 1)); !kept)
      return std::unexpected(kept.error());
    auto noted = note(change, TenantId(*id), "tenant.limit_expired",
                      {{"limit", user_of(removed->text(row, 1))}});
    if (!noted) return std::unexpected(noted.error());
  }
  return removed->size();
}

Result<> put_sql_login(Change& change, TenantId id, const SqlLogin& login) {
  const auto slug = slug_of(change, id);
  if (!slug) return std::unexpected(slug.error());
  if (auto valid = check_user_of_tenant(login.user, *slug); !valid) return valid;
  const auto put = change.execute(
      "INSERT INTO partywall.sql_logins AS l (user_name, class, verifier, tenant) "
      "VALUES ($1, 'bound', $2, $3::uuid) ON CONFLICT (user_name) DO UPDATE "
      "SET verifier = excluded.verifier WHERE l.tenant = excluded.tenant",
      {login.user, login.verifier, id_of(id)});
  if (!put) return std::unexpected(put.error());
  if (put->affected() == 0)
    return fail(ErrorKind::kConflict, "the sql login '{}' belongs to somebody else", login.user);
  return change.note("tenant.sql_login_set", id.value(), *slug,
                     JsonValue(JsonObject{{"user", user_of(login.user)}}));
}

Result<> put_cache_login(Change& change, TenantId id, const CacheLogin& login) {
  const auto slug = slug_of(change, id);
  if (!slug) return std::unexpected(slug.error());
  if (auto valid = check_user_of_tenant(login.user, *slug); !valid) return valid;
  const auto put = change.execute(
      "INSERT INTO partywall.cache_logins AS l (user_name, secret_sha256, tenant) "
      "VALUES ($1, $2, $3::uuid) ON CONFLICT (user_name) DO UPDATE "
      "SET secret_sha256 = excluded.secret_sha256 WHERE l.tenant = excluded.tenant",
      {login.user, to_hex(as_bytes(login.secret_sha256)), id_of(id)});
  if (!put) return std::unexpected(put.error());
  if (put->affected() == 0)
    return fail(ErrorKind::kConflict, "the cache login '{}' belongs to somebody else", login.user);
  return change.note("tenant.cache_login_set", id.value(), *slug,
                     JsonValue(JsonObject{{"user", user_of(login.user)}}));
}

Result<> remove_sql_login(Change& change, TenantId id, std::string_view user) {
  const auto removed =
      change.execute("DELETE FROM partywall.sql_logins WHERE user_name = $1 AND tenant = $2::uuid",
                     {std::string(user), id_of(id)});
  if (!removed) return std::unexpected(removed.error());
  if (removed->affected() == 0)
    return fail(ErrorKind::kNotFound, "the tenant has no sql login '{}'", user);
  return note(change, id, "tenant.sql_login_removed", {{"user", user_of(user)}});
}

Result<> remove_cache_login(Change& change, TenantId id, std::string_view user) {
  const auto removed = change.execute(
      "DELETE FROM partywall.cache_logins WHERE user_name = $1 AND tenant = $2::uuid",
      {std::string(user), id_of(id)});
  if (!removed) return std::unexpected(removed.error());
  if (removed->affected() == 0)
    return fail(ErrorKind::kNotFound, "the tenant has no cache login '{}'", user);
  return note(change, id, "tenant.cache_login_removed", {{"user", user_of(user)}});
}

}  // namespace partywall::store
