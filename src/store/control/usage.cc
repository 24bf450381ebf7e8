#include "store/control/usage.h"

#include "base/json_writer.h"
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

std::string days_query() {
  return fmt::format(
      "SELECT {0}, {1} FROM (SELECT tenant, date_trunc('day', hour, 'UTC') AS day, {2} FROM "
      "partywall.usage_hours UNION ALL SELECT tenant, day, {2} FROM partywall.usage_days) AS u "
      "WHERE tenant = $1::uuid AND day >= {3} AND day < {4} GROUP BY day ORDER BY day",
      fmt::format(fmt::runtime(kMilliseconds), "day"), each_meter("sum({})::bigint"),
      each_meter("{}"), as_time(2), as_time(3));
}

std::string age_query() {
  return fmt::format(
      "WITH old AS (DELETE FROM partywall.usage_hours WHERE hour < now() - make_interval(hours => "
      "$1::int) RETURNING *) INSERT INTO partywall.usage_days AS d (tenant, day, {0}) SELECT "
      "tenant, date_trunc('day', hour, 'UTC'), {1} FROM old GROUP BY 1, 2 ON CONFLICT (tenant, day) "
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

Result<std::vector<UsageSum>> usage_of(Session& session, TenantId tenant, WallTime from, WallTime to,
                                       UsageStep step) {
  static const std::string kHours = hours_query();
  static const std::string kDays = days_query();
  const auto rows =
      session.execute(step == UsageStep::kHour ? kHours : kDays,
                      {tenant.value().to_string(), to_parameter(from), to_parameter(to)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<UsageSum> sums;
  for (size_t row = 0; row < rows->size(); ++row) {
    UsageSum sum{.start = to_time(rows->number(row, 0)), .counts = {}};
    for (size_t meter = 0; meter < kUsageMeterCount; ++meter) {
      sum.counts.add(static_cast<UsageMeter>(meter),
                     static_cast<uint64_t>(rows->number(row, meter + 1)));
    }
    sums.push_back(sum);
  }
  return sums;
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
