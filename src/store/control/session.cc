#include "store/control/session.h"

#include "base/json_writer.h"

namespace partywall::store {
namespace {

// What a violated constraint means, for people.
std::string_view meaning_of(std::string_view message) {
  struct Meaning {
    std::string_view constraint;
    std::string_view text;
  };
  static constexpr Meaning kMeanings[] = {
      {"webhooks_name_key", "there is a webhook with that name already"},
      {"tenants_slug", "the slug is taken by another tenant"},
      {"placements_cache_range", "that Redis database belongs to another tenant"},
      {"placements_cache_key", "keys of another tenant in that Redis begin with the same tag"},
      {"placements_whole_cell_key", "that dedicated cell holds another tenant"},
      {"placements_cell_fkey", "there is no such cell, or tenants are placed in it"},
      {"tenants_tier_fkey", "there is no such tier, or tenants are on it"},
      {"sql_logins_cell_fkey", "there is no such cell, or logins lead to it"},
      {"sql_logins_pkey", "there is a login with that name already"},
      {"cache_logins_pkey", "there is a login with that name already"},
      {"operations_tenant_running", "another operation is working on that tenant"},
  };
  for (const Meaning& meaning : kMeanings) {
    if (message.contains(meaning.constraint)) return meaning.text;
  }
  return message;
}

Error to_error(const postgres::PostgresError& error) {
  constexpr std::string_view kUnique = "23505";
  constexpr std::string_view kForeignKey = "23503";
  constexpr std::string_view kExclusion = "23P01";
  if (error.sqlstate == kUnique || error.sqlstate == kForeignKey || error.sqlstate == kExclusion)
    return {ErrorKind::kConflict, std::string(meaning_of(error.message))};
  return {error.kind, error.message};
}

}  // namespace

Result<postgres::Rows> Session::execute(const std::string& sql,
                                        const std::vector<postgres::Parameter>& parameters) {
  auto rows = connection_.execute(sql, parameters);
  if (!rows) {
    failed_with_ = rows.error().sqlstate;
    return std::unexpected(to_error(rows.error()));
  }
  return *std::move(rows);
}

Result<> Change::note(std::string_view type, std::optional<Uuid> tenant, std::string_view subject,
                      const JsonValue& data) {
  const postgres::Parameter id =
      tenant ? postgres::Parameter(tenant->to_string()) : postgres::Parameter();
  const auto noted = execute(
      "INSERT INTO partywall.audit_outbox (event, reason, request_id, address) "
      "VALUES (partywall.add_event($1, $2::uuid, $3, $4, $5::jsonb), $6, $7, $8)",
      {std::string(type), id, std::string(subject), author_.actor, to_json_text(data),
       author_.reason, author_.request_id, author_.address});
  if (!noted) return std::unexpected(noted.error());
  return {};
}

postgres::Parameter to_parameter(std::optional<WallTime> time) {
  if (!time) return std::nullopt;
  return std::to_string(time->time_since_epoch().count());
}

WallTime to_time(int64_t milliseconds_since_1970) {
  return WallTime(milliseconds(milliseconds_since_1970));
}

std::optional<WallTime> to_optional_time(const postgres::Rows& rows, size_t row, size_t column) {
  if (rows.is_null(row, column)) return std::nullopt;
  return to_time(rows.number(row, column));
}

}  // namespace partywall::store
