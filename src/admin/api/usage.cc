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

ApiResult<store::UsageStep> read_step(const Query& query) {
  const std::string by = query.has("by") ? query.text("by") : "hour";
  if (by == "hour") return store::UsageStep::kHour;
  if (by == "day") return store::UsageStep::kDay;
  return refuse(invalid_body("by: hour or day"));
}

ApiResult<WallTime> read_time(const Query& query, std::string_view name, WallTime usual) {
  if (!query.has(name)) return usual;
  const auto time = parse_rfc3339(query.text(name));
  if (!time) return refuse(invalid_body(fmt::format("{}: {}", name, time.error().message)));
  return *time;
}

ApiResult<Span> read_span(const Query& query, WallTime now) {
  Span span;
  const auto step = read_step(query);
  if (!step) return refuse(step.error());
  span.step = *step;
  const auto to = read_time(query, "to", now);
  if (!to) return refuse(to.error());
  span.to = *to;
  const auto from = read_time(query, "from", std::max(span.to - kUsualSpan, WallTime()));
  if (!from) return refuse(from.error());
  span.from = *from;
  if (span.from >= span.to) return refuse(invalid_body("from: must be before `to`"));
  const bool by_day = span.step == store::UsageStep::kDay;
  const milliseconds most = by_day ? kMostDays : kMostHours;
  if (span.to - span.from > most) {
    return refuse(
        invalid_body(fmt::format("from: {} days before `to` at most, by {}",
                                 std::chrono::floor<days>(most).count(), by_day ? "day" : "hour")));
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

ApiResult<WallTime> read_start(const Query& query, store::UsageStep step) {
  if (!query.has("start")) return refuse(invalid_body("start is missing"));
  const auto start = read_time(query, "start", WallTime());
  if (!start) return refuse(start.error());
  const bool begins = step == store::UsageStep::kDay
                          ? std::chrono::floor<days>(*start) == *start
                          : std::chrono::floor<std::chrono::hours>(*start) == *start;
  if (!begins) return refuse(invalid_body("start: must be the beginning of an hour or day, UTC"));
  return *start;
}

ApiResult<std::optional<TenantId>> read_after(const Query& query) {
  if (!query.has("cursor")) return std::nullopt;
  const auto parts = read_cursor(query.text("cursor"), 1);
  if (!parts) return refuse(parts.error());
  const auto id = Uuid::parse(parts->front());
  if (!id) return refuse(invalid_body("cursor: take it from the last page"));
  return TenantId(*id);
}

std::string page_text(const std::vector<store::UsageOfTenant>& page,
                      const std::optional<std::string>& next) {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().key("items").begin_array();
  for (const store::UsageOfTenant& one : page) {
    writer.begin_object().key("tenant").value(one.tenant.value().to_string());
    writer.key("slug").value(one.slug);
    write_counts(writer, one.counts);
    writer.end_object();
  }
  writer.end_array().key("next");
  if (next) {
    writer.value(*next);
  } else {
    writer.null();
  }
  writer.end_object();
  return text;
}

ApiResult<Answer> list(const Call& call) {
  return read(call, [&](store::Session& session) -> ApiResult<Answer> {
    const auto step = read_step(call.query);
    if (!step) return refuse(step.error());
    const auto start = read_start(call.query, *step);
    if (!start) return refuse(start.error());
    const auto after = read_after(call.query);
    if (!after) return refuse(after.error());
    const auto most = call.query.number("limit", kUsualPage, 1, kLargestPage);
    if (!most) return refuse(most.error());
    const auto page = store::usage_at(session, *start, *step, *after, static_cast<uint32_t>(*most));
    if (!page) return refuse(page.error());
    std::optional<std::string> next;
    if (std::cmp_equal(page->size(), *most))
      next = write_cursor({page->back().tenant.value().to_string()});
    return Answer{.body = page_text(*page, next)};
  });
}

}  // namespace

void add_usage_endpoints(ApiEndpoints& endpoints) {
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/usage",
                       .summary = "What all tenants used in one hour or day",
                       .access = {Role::kViewer},
                       .handler = answering(list),
                       .query = {"start", "by", "cursor", "limit"},
                       .response_schema = "UsagePage"});
  endpoints.push_back({.method = "GET",
                       .pattern = "/v1/tenants/{tenant}/usage",
                       .summary = "What the tenant used, by hour or day",
                       .access = {Role::kViewer, TenantAdmins::kOwnTenant},
                       .handler = answering(show),
                       .query = {"from", "to", "by"},
                       .response_schema = "Usage"});
}

}  // namespace partywall::admin
