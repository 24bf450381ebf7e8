#include "store/control/access.h"

#include "store/control/access_document.h"
#include "store/control/expected_version.h"
#include "store/control/read_documents.h"
#include "store/control/sealed_text.h"

namespace partywall::store {
namespace {

// What all puts begin with: the version that there is, checked.
Result<uint64_t> version_to_change(Change& change, std::string_view table, std::string_view column,
                                   std::string_view key, std::string_view what,
                                   ExpectedVersion expected) {
  auto version = version_of(change, table, column, key);
  if (!version) return version;
  if (auto checked = check_version(what, *version, expected); !checked)
    return std::unexpected(checked.error());
  return version;
}

Result<> note_put(Change& change, std::string_view kind, uint64_t version_before,
                  std::string_view subject) {
  return change.note(fmt::format("{}.{}", kind, version_before == 0 ? "created" : "updated"),
                     std::nullopt, subject);
}

std::string route_title(std::string_view path) { return fmt::format("route '{}'", path); }
std::string issuer_title(std::string_view issuer) { return fmt::format("issuer '{}'", issuer); }

}  // namespace

Result<std::vector<RouteRecord>> list_routes(Session& session) {
  return read_documents<RouteRecord>(
      session,
      fmt::format("SELECT {} FROM partywall.routes t ORDER BY t.path_prefix", route_document_sql()),
      read_route_document);
}

Result<RouteRecord> find_route(Session& session, std::string_view path_prefix) {
  const auto rows =
      session.execute(fmt::format("SELECT {} FROM partywall.routes t WHERE t.path_prefix = $1",
                                  route_document_sql()),
                      {std::string(path_prefix)});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorKind::kNotFound, "there is no {}", route_title(path_prefix));
  return read_document(*rows, 0, read_route_document);
}

Result<> put_route(Change& change, const Route& route, ExpectedVersion expected) {
  if (!route.path_prefix.starts_with('/'))
    return fail(ErrorKind::kInvalid, "{} must start with '/'", route_title(route.path_prefix));
  const auto version = version_to_change(change, "routes", "path_prefix", route.path_prefix,
                                         route_title(route.path_prefix), expected);
  if (!version) return std::unexpected(version.error());
  const auto put = change.execute(
      "INSERT INTO partywall.routes (path_prefix, pool, authenticated) VALUES ($1, $2, $3::bool) "
      "ON CONFLICT (path_prefix) DO UPDATE SET pool = excluded.pool, "
      "authenticated = excluded.authenticated",
      {route.path_prefix, route.pool, route.authenticated ? "t" : "f"});
  if (!put) return std::unexpected(put.error());
  return note_put(change, "route", *version, route.path_prefix);
}

Result<> remove_route(Change& change, std::string_view path_prefix, ExpectedVersion expected) {
  auto removed =
      remove_row(change, "routes", "path_prefix", path_prefix, route_title(path_prefix), expected);
  if (!removed) return removed;
  return change.note("route.deleted", std::nullopt, path_prefix);
}

Result<std::vector<IssuerRecord>> list_issuers(Session& session) {
  return read_documents<IssuerRecord>(
      session,
      fmt::format("SELECT {} FROM partywall.issuers t ORDER BY t.issuer", issuer_document_sql()),
      [&](const JsonValue& document) {
        return read_issuer_document(document, session.node_key());
      });
}

Result<> put_issuer(Change& change, const Issuer& issuer, ExpectedVersion expected) {
  const auto version = version_to_change(change, "issuers", "issuer", issuer.issuer,
                                         issuer_title(issuer.issuer), expected);
  if (!version) return std::unexpected(version.error());
  const auto leeway = std::chrono::duration_cast<milliseconds>(issuer.leeway).count();
  const auto put = change.execute(
      "INSERT INTO partywall.issuers (issuer, audience, tenant_claim, default_algorithm, leeway_ms,"
      " sealed_key_set) VALUES ($1, $2, $3, $4, $5::int, $6) "
      "ON CONFLICT (issuer) DO UPDATE SET audience = excluded.audience, "
      "tenant_claim = excluded.tenant_claim, default_algorithm = excluded.default_algorithm, "
      "leeway_ms = excluded.leeway_ms, sealed_key_set = excluded.sealed_key_set",
      {issuer.issuer, issuer.audience, issuer.tenant_claim, issuer.default_algorithm,
       std::to_string(leeway),
       seal_text(change.node_key(), key_set_purpose(issuer.issuer), issuer.key_set,
                 change.random())});
  if (!put) return std::unexpected(put.error());
  return note_put(change, "issuer", *version, issuer.issuer);
}

Result<> remove_issuer(Change& change, std::string_view issuer, ExpectedVersion expected) {
  auto removed = remove_row(change, "issuers", "issuer", issuer, issuer_title(issuer), expected);
  if (!removed) return removed;
  return change.note("issuer.deleted", std::nullopt, issuer);
}

}  // namespace partywall::store
