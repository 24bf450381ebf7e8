#include "store/control/usage.h"

#include "base/rfc3339.h"
#include "store/usage/usage_document.h"

namespace partywall::store {
namespace {

constexpr const char* kMilliseconds = "(extract(epoch FROM {}) * 1000)::bigint";
constexpr const char* kTime = "to_timestamp({}::bigint / 1000.0)";

// "sum(http_requests)::bigint, …" for "sum({})::bigint".
std::string each_meter(std::string_view pattern) {
  std::string list;
  for (const std::string_view name : kUsageMeterNames) {
    if (!list.empty()) list += ", ";
    list += fmt::format(fmt::runtime(pattern), name);
  }
  return list;
}

std::string as_time(int parameter) {
  return fmt::format(fmt::runtime(kTime), fmt::format("${}", parameter));
}

std::string hours_query() {
  return fmt::format(
      "SELECT {}, {} FROM partywall.usage_hours WHERE tenant = $1::uuid AND hour >= {} AND "
      "hour < {} ORDER BY hour",
      fmt::format(fmt::runtime(kMilliseconds), "hour"), each_meter("{}"), as_time(2), as_time(3));
}

// Days are what hours have become, and hours that will.
std::string days() {
  return fmt::format(
      "(SELECT tenant, date_trunc('day', hour, 'UTC') AS day, {0} FROM partywall.usage_hours "
      "UNION ALL SELECT tenant, day, {0} FROM partywall.usage_days)",
      each_meter("{}"));
}

std::string days_query() {
  return fmt::format(
      "SELECT {}, {} FROM {} AS u WHERE tenant = $1::uuid AND day >= {} AND day < {} GROUP BY day "
      "ORDER BY day",
      fmt::format(fmt::runtime(kMilliseconds), "day"), each_meter("sum({})::bigint"), days(),
      as_time(2), as_time(3));
}

// Of one hour ({} AS u with a column `start`) or day; only the page is added up.
std::string page_query(const std::string& source, std::string_view start) {
  return fmt::format(
      "SELECT u.tenant, coalesce(min(t.slug), ''), {} FROM {} AS u LEFT JOIN partywall.tenants t "
      "ON t.id = u.tenant WHERE u.{} = {} AND ($2::uuid IS NULL OR u.tenant > $2::uuid) GROUP BY "
      "u.tenant ORDER BY u.tenant LIMIT $3::int",
      each_meter("sum(u.{})::bigint"), source, start, as_time(1));
}

UsageCounts read_counts(const postgres::Rows& rows, size_t row, size_t first_column) {
  UsageCounts counts;
  for (size_t meter = 0; meter < kUsageMeterCount; ++meter) {
    counts.add(static_cast<UsageMeter>(meter),
               static_cast<uint64_t>(rows.number(row, first_column + meter)));
  }
  return counts;
}

std::string age_query() {
  return fmt::format(
      "WITH old AS (DELETE FROM partywall.usage_hours WHERE hour < now() - make_interval(hours => "
      "$1::int) RETURNING *) INSERT INTO partywall.usage_days AS d (tenant, day, {0}) SELECT "
      "tenant, date_trunc('day', hour, 'UTC'), {1} FROM old GROUP BY 1, 2 ON CONFLICT (tenant, "
      "day) "
      "DO UPDATE SET {2}",
      each_meter("{}"), each_meter("sum({})::bigint"), each_meter("{0} = d.{0} + excluded.{0}"));
}

std::string hours_text(Duration duration) {
  return std::to_string(std::chrono::duration_cast<hours>(duration).count());
}

}  // namespace

Result<Recorded> record_usage(Session& session, const UsageReport& report) {
  const UsageInterval& interval = report.interval;
  const auto rows = session.execute(
      fmt::format("SELECT partywall.record_usage($1, $2::uuid, $3::bigint, {}, {}, $6::boolean, "
                  "$7::jsonb)",
                  as_time(4), as_time(5)),
      {report.node, interval.run.to_string(), std::to_string(interval.number),
       to_parameter(interval.started), to_parameter(interval.ended),
       interval.is_last ? "true" : "false", write_usage_counts(interval.tenants)});
  if (!rows) return std::unexpected(rows.error());
  return rows->is_true(0) ? Recorded::kNow : Recorded::kBefore;
}

Result<std::vector<UsageSum>> usage_of(Session& session, TenantId tenant, WallTime from,
                                       WallTime to, UsageStep step) {
  static const std::string kHours = hours_query();
  static const std::string kDays = days_query();
  const auto rows =
      session.execute(step == UsageStep::kHour ? kHours : kDays,
                      {tenant.value().to_string(), to_parameter(from), to_parameter(to)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<UsageSum> sums;
  sums.reserve(rows->size());
  for (size_t row = 0; row < rows->size(); ++row) {
    sums.push_back({.start = to_time(rows->number(row, 0)), .counts = read_counts(*rows, row, 1)});
  }
  return sums;
}

Result<std::vector<UsageOfTenant>> usage_at(Session& session, WallTime start, UsageStep step,
                                            std::optional<TenantId> after, uint32_t most) {
  static const std::string kHour = page_query("partywall.usage_hours", "hour");
  static const std::string kDay = page_query(days(), "day");
  postgres::Parameter after_id;
  if (after) after_id = after->value().to_string();
  const auto rows = session.execute(step == UsageStep::kHour ? kHour : kDay,
                                    {to_parameter(start), after_id, std::to_string(most)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<UsageOfTenant> page;
  for (size_t row = 0; row < rows->size(); ++row) {
    const auto id = Uuid::parse(rows->text(row, 0));
    if (!id) return std::unexpected(id.error());
    page.push_back({.tenant = TenantId(*id),
                    .slug = std::string(rows->text(row, 1)),
                    .counts = read_counts(*rows, row, 2)});
  }
  return page;
}

Result<std::optional<WallTime>> usage_hour_to_tell(Session& session) {
  const auto rows = session.execute(
      fmt::format("SELECT {} FROM partywall.usage_told WHERE until + interval '70 minutes' <= "
                  "now()",
                  fmt::format(fmt::runtime(kMilliseconds), "until")));
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  return to_time(rows->number(0));
}

Result<> tell_usage_hour(Change& change, WallTime hour) {
  const auto moved = change.execute(
      fmt::format("UPDATE partywall.usage_told SET until = until + interval '1 hour' WHERE until = "
                  "{0} RETURNING (SELECT count(*) FROM partywall.usage_hours WHERE hour = {0})",
                  as_time(1)),
      {to_parameter(hour)});
  if (!moved) return std::unexpected(moved.error());
  if (moved->empty() || moved->number(0) == 0) return {};
  const std::string start = format_rfc3339(hour);
  return change.note(
      "usage.hour", std::nullopt, start,
      JsonValue(JsonObject{{"start", JsonValue(start)}, {"tenants", JsonValue(moved->number(0))}}));
}

Result<std::vector<UsageGap>> usage_gaps(Session& session, WallTime from, WallTime to) {
  const auto rows = session.execute(
      fmt::format("SELECT node, {}, {} FROM partywall.usage_gaps WHERE to_at > {} AND from_at < {} "
                  "ORDER BY from_at, node",
                  fmt::format(fmt::runtime(kMilliseconds), "from_at"),
                  fmt::format(fmt::runtime(kMilliseconds), "to_at"), as_time(1), as_time(2)),
      {to_parameter(from), to_parameter(to)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<UsageGap> gaps;
  gaps.reserve(rows->size());
  for (size_t row = 0; row < rows->size(); ++row) {
    gaps.push_back({.node = std::string(rows->text(row, 0)),
                    .from = to_time(rows->number(row, 1)),
                    .to = to_time(rows->number(row, 2))});
  }
  return gaps;
}

Result<> age_usage(Change& change) {
  const std::string kept = hours_text(kUsageHoursKept);
  if (auto aged = change.execute(age_query(), {kept}); !aged) {
    return std::unexpected(aged.error());
  }
  // The last run of a node stays: what comes after it is told from a gap by it.
  const auto runs = change.execute(
      "DELETE FROM partywall.usage_runs r WHERE ended_at < now() - make_interval(hours => $1::int) "
      "AND EXISTS (SELECT FROM partywall.usage_runs o WHERE o.node = r.node AND o.ended_at > "
      "r.ended_at)",
      {kept});
  if (!runs) return std::unexpected(runs.error());
  const auto gaps =
      change.execute("DELETE FROM partywall.usage_gaps WHERE to_at < now() - interval '1 year'");
  if (!gaps) return std::unexpected(gaps.error());
  return {};
}

}  // namespace partywall::store
