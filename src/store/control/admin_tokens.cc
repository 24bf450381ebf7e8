#include "store/control/admin_tokens.h"

#include "base/hex.h"

namespace partywall::store {
namespace {

constexpr std::string_view kColumns =
    "id, name, role, tenant, (extract(epoch FROM created_at) * 1000)::bigint, "
    "(extract(epoch FROM expires_at) * 1000)::bigint, "
    "(extract(epoch FROM revoked_at) * 1000)::bigint";

Result<AdminTokenRecord> read_token(const postgres::Rows& rows, size_t row) {
  const auto id = Uuid::parse(rows.text(row, 0));
  if (!id) return std::unexpected(id.error());
  AdminTokenRecord token{.id = AdminTokenId(*id),
                         .name = std::string(rows.text(row, 1)),
                         .role = std::string(rows.text(row, 2)),
                         .tenant = std::nullopt,
                         .created_at = to_time(rows.number(row, 4)),
                         .expires_at = to_optional_time(rows, row, 5),
                         .revoked_at = to_optional_time(rows, row, 6)};
  if (!rows.is_null(row, 3)) {
    const auto tenant = Uuid::parse(rows.text(row, 3));
    if (!tenant) return std::unexpected(tenant.error());
    token.tenant = TenantId(*tenant);
  }
  return token;
}

JsonValue details_of(const AdminTokenRecord& token) {
  return JsonValue(JsonObject{{"token", JsonValue(token.id.value().to_string())},
                              {"role", JsonValue(token.role)}});
}

std::optional<Uuid> tenant_of(const AdminTokenRecord& token) {
  return token.tenant ? std::optional(token.tenant->value()) : std::nullopt;
}

}  // namespace

Result<> insert_admin_token(Change& change, const AdminTokenRecord& token,
                            const Sha256Digest& secret_sha256) {
  const auto inserted = change.execute(
      "INSERT INTO partywall.admin_tokens (id, name, role, tenant, secret_sha256, expires_at) "
      "VALUES ($1::uuid, $2, $3, $4::uuid, $5, to_timestamp($6::bigint / 1000.0))",
      {token.id.value().to_string(), token.name, token.role,
       token.tenant ? postgres::Parameter(token.tenant->value().to_string()) : std::nullopt,
       to_hex(as_bytes(secret_sha256)), to_parameter(token.expires_at)});
  if (!inserted) return fail_with_context("admin token " + token.name, inserted.error());
  return change.note("admin_token.created", tenant_of(token), token.name, details_of(token));
}

Result<AdminTokenRecord> find_valid_admin_token(Session& session,
                                                const Sha256Digest& secret_sha256) {
  const auto rows = session.execute(
      fmt::format("SELECT {} FROM partywall.admin_tokens WHERE secret_sha256 = $1 AND revoked_at "
                  "IS NULL AND (expires_at IS NULL OR expires_at > now())",
                  kColumns),
      {to_hex(as_bytes(secret_sha256))});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorKind::kNotFound, "there is no such admin token");
  return read_token(*rows, 0);
}

Result<std::vector<AdminTokenRecord>> list_admin_tokens(Session& session) {
  const auto rows = session.execute(
      fmt::format("SELECT {} FROM partywall.admin_tokens ORDER BY created_at, id", kColumns));
  if (!rows) return std::unexpected(rows.error());
  std::vector<AdminTokenRecord> tokens;
  for (size_t row = 0; row < rows->size(); ++row) {
    auto token = read_token(*rows, row);
    if (!token) return std::unexpected(token.error());
    tokens.push_back(*std::move(token));
  }
  return tokens;
}

Result<> revoke_admin_token(Change& change, AdminTokenId id) {
  const auto rows = change.execute(
      fmt::format("UPDATE partywall.admin_tokens SET revoked_at = coalesce(revoked_at, now()) "
                  "WHERE id = $1::uuid RETURNING {}",
                  kColumns),
      {id.value().to_string()});
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return fail(ErrorKind::kNotFound, "there is no such admin token");
  const auto token = read_token(*rows, 0);
  if (!token) return std::unexpected(token.error());
  return change.note("admin_token.revoked", tenant_of(*token), token->name, details_of(*token));
}

}  // namespace partywall::store
