#include "base/json_writer.h"
#include "store/control/access.h"
#include "store/control/access_document.h"
#include "store/control/expected_version.h"
#include "store/control/read_documents.h"

// Logins that belong to no tenant.
namespace partywall::store {
namespace {

std::string sql_title(std::string_view user) { return fmt::format("sql login '{}'", user); }
std::string cache_title(std::string_view user) { return fmt::format("cache login '{}'", user); }

// "<slug>" and "<slug>.<name>" are names of that tenant.
Result<> check_no_tenants_name(Change& change, std::string_view user) {
  const auto owner = change.execute(
      "SELECT FROM partywall.tenants WHERE slug = split_part($1, '.', 1) AND status <> 'erased'",
      {std::string(user)});
  if (!owner) return std::unexpected(owner.error());
  if (owner->empty()) return {};
  return fail(ErrorKind::kConflict, "'{}' is a name of tenant '{}'; choose another", user,
              user.substr(0, user.find('.')));
}

Result<uint64_t> version_to_change(Change& change, std::string_view table, std::string_view user,
                                   std::string_view title, ExpectedVersion expected) {
  if (auto is_free = check_no_tenants_name(change, user); !is_free)
    return std::unexpected(is_free.error());
  auto version = version_of(change, table, "user_name", user);
  if (!version) return version;
  if (auto checked = check_version(title, *version, expected); !checked)
    return std::unexpected(checked.error());
  return version;
}

// A tenant's login is none of those that these functions remove.
Result<> check_not_a_tenants(Change& change, std::string_view table, std::string_view user,
                             std::string_view title) {
  const auto found = change.execute(
      fmt::format("SELECT FROM partywall.{} WHERE user_name = $1 AND tenant IS NOT NULL", table),
      {std::string(user)});
  if (!found) return std::unexpected(found.error());
  if (found->empty()) return {};
  return fail(ErrorKind::kNotFound, "{} belongs to a tenant", title);
}

JsonValue addresses_of(const SqlLogin& login) {
  JsonArray addresses;
  for (const AddressBlock& block : login.addresses) addresses.emplace_back(block.to_string());
  return JsonValue(std::move(addresses));
}

}  // namespace

Result<std::vector<SqlLoginRecord>> list_sql_logins(Session& session) {
  return read_documents<SqlLoginRecord>(
      session,
      fmt::format("SELECT {} FROM partywall.sql_logins t WHERE t.tenant IS NULL "
                  "ORDER BY t.user_name",
                  sql_login_document_sql()),
      read_sql_login_document);
}

Result<> put_sql_login(Change& change, const SqlLogin& login, ExpectedVersion expected) {
  if (login.login_class == LoginClass::kBound)
    return fail(ErrorKind::kInvalid, "{} is bound: it needs a tenant", sql_title(login.user));
  const auto version =
      version_to_change(change, "sql_logins", login.user, sql_title(login.user), expected);
  if (!version) return std::unexpected(version.error());
  const auto put = change.execute(
      "INSERT INTO partywall.sql_logins (user_name, class, verifier, database, cell, addresses) "
      "VALUES ($1, $2, $3, $4, $5, $6::jsonb) ON CONFLICT (user_name) DO UPDATE SET "
      "class = excluded.class, verifier = excluded.verifier, database = excluded.database, "
      "cell = excluded.cell, addresses = excluded.addresses",
      {login.user, std::string(to_string(login.login_class)), login.verifier, login.database,
       login.cell, to_json_text(addresses_of(login))});
  if (!put) return fail_with_context(sql_title(login.user), put.error());
  return change.note(*version == 0 ? "sql_login.created" : "sql_login.updated", std::nullopt,
                     login.user);
}

Result<> remove_sql_login(Change& change, std::string_view user, ExpectedVersion expected) {
  if (auto ours = check_not_a_tenants(change, "sql_logins", user, sql_title(user)); !ours)
    return ours;
  auto removed = remove_row(change, "sql_logins", "user_name", user, sql_title(user), expected);
  if (!removed) return removed;
  return change.note("sql_login.deleted", std::nullopt, user);
}

Result<std::vector<CacheLoginRecord>> list_cache_logins(Session& session) {
  return read_documents<CacheLoginRecord>(
      session,
      fmt::format("SELECT {} FROM partywall.cache_logins t WHERE t.tenant IS NULL "
                  "ORDER BY t.user_name",
                  cache_login_document_sql()),
      read_cache_login_document);
}

Result<> put_cache_login(Change& change, const CacheLogin& login, ExpectedVersion expected) {
  const auto version =
      version_to_change(change, "cache_logins", login.user, cache_title(login.user), expected);
  if (!version) return std::unexpected(version.error());
  const auto put = change.execute(
      "INSERT INTO partywall.cache_logins (user_name) VALUES ($1) ON CONFLICT DO NOTHING",
      {login.user});
  if (!put) return std::unexpected(put.error());
  return change.note(*version == 0 ? "cache_login.created" : "cache_login.updated", std::nullopt,
                     login.user);
}

Result<> remove_cache_login(Change& change, std::string_view user, ExpectedVersion expected) {
  if (auto ours = check_not_a_tenants(change, "cache_logins", user, cache_title(user)); !ours)
    return ours;
  auto removed = remove_row(change, "cache_logins", "user_name", user, cache_title(user), expected);
  if (!removed) return removed;
  return change.note("cache_login.deleted", std::nullopt, user);
}

Result<> check_slug_is_free_of_logins(Session& session, std::string_view slug) {
  for (const std::string_view table : {"sql_logins", "cache_logins"}) {
    const auto found =
        session.execute(fmt::format("SELECT user_name FROM partywall.{} WHERE tenant IS NULL AND "
                                    "split_part(user_name, '.', 1) = $1 LIMIT 1",
                                    table),
                        {std::string(slug)});
    if (!found) return std::unexpected(found.error());
    if (!found->empty()) {
      return fail(ErrorKind::kConflict, "the login '{}' has that name already; choose another slug",
                  found->text(0));
    }
  }
  return {};
}

}  // namespace partywall::store
