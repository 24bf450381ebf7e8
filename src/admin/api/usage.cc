#include "store/control/usage.h"

#include "admin/api/endpoint.h"
#include "base/json_writer.h"
#include "base/rfc3339.h"

// What a tenant used, by hour or day.
namespace partywall::admin {
namespace {

using std::chrono::days;

constexpr milliseconds kUsualSpan = days(1);
// What an answer may span, so that it stays of a size to be read at once.
constexpr milliseconds kMostHours = days(35);
constexpr milliseconds kMostDays = days(3 * 366);

struct Span {
  WallTime from;
  WallTime to;
  store::UsageStep step = store::UsageStep::kHour;
};

ApiResult<WallTime> read_time(const Query& query, std::string_view name, WallTime usual) {
  if (!query.has(name)) return usual;
  const auto time = parse_rfc3339(query.text(name));
  if (!time) return refuse(invalid_body(fmt::format("{}: {}", name, time.error().message)));
  return *time;
}

ApiResult<Span> read_span(const Query& query, WallTime now) {
  Span span;
  const std::string by = query.has("by") ? query.text("by") : "hour";
  if (by != "hour" && by != "day") return refuse(invalid_body("by: hour or day"));
  if (by == "day") span.step = store::UsageStep::kDay;
  const auto to = read_time(query, "to", now);
  if (!to) return refuse(to.error());
  span.to = *to;
  const auto from = read_time(query, "from", std::max(span.to - kUsualSpan, WallTime()));
  if (!from) return refuse(from.error());
  span.from = *from;
  if (span.from >= span.to) return refuse(invalid_body("from: must be before `to`"));
  const milliseconds most = by == "day" ? kMostDays : kMostHours;
  if (span.to - span.from > most) {
    return refuse(invalid_body(fmt::format("from: {} days before `to` at most, by {}",
                                           std::chrono::floor<days>(most).count(), by)));
  }
  return span;
}

void write_counts(JsonWriter& writer, const UsageCounts& counts) {
  for (size_t i = 0; i < kUsageMeterCount; ++i)
    writer.key(kUsageMeterNames[i]).value(counts[static_cast<UsageMeter>(i)]);
}

std::string to_text(const std::vector<store::UsageSum>& sums,
                    const std::vector<store::UsageGap>& gaps, bool shows_nodes) {
  std::string text;
  JsonWriter writer(text);
  UsageCounts total;
  writer.begin_object().key("items").begin_array();
  for (const store::UsageSum& sum : sums) {
    writer.begin_object().key("start").value(format_rfc3339(sum.start));
    write_counts(writer, sum.counts);
    writer.end_object();
    total.add(sum.counts);
  }
  writer.end_array().key("total").begin_object();
  write_counts(writer, total);
  writer.end_object().key("gaps").begin_array();
  for (const store::UsageGap& gap : gaps) {
    writer.begin_object();
    if (shows_nodes) writer.key("node").value(gap.node);
    writer.key("from").value(format_rfc3339(gap.from)).key("to").value(format_rfc3339(gap.to));
    writer.end_object();
  }
  writer.end_array().end_object();
  return text;
}

ApiResult<Answer> show(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto tenant = tenant_of_path(call, session);
    if (!tenant) return refuse(tenant.error());
    const auto span = read_span(call.query, call.time.wall());
    if (!span) return refuse(span.error());
    const auto sums = store::usage_of(session, tenant->id, span->from, span->to, span->step);
    if (!sums) return refuse(sums.error());
    const auto gaps = store::usage_gaps(session, span->from, span->to);
    if (!gaps) return refuse(gaps.error());
    return Answer{.body = to_text(*sums, *gaps, call.principal.role != Role::kTenantAdmin)};
  });
}

}  // namespace

void add_usage_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/tenants/{tenant}/usage",
                       .summary = "What the tenant used, by hour or day",
                       .access = {Role::kViewer, TenantAdmins::kOwnTenant},
                       .handler = answering(show),
                       .query = {"from", "to", "by"},
                       .response_schema = "Usage"});
}

}  // namespace partywall::admin
