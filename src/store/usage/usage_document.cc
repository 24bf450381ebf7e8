#include "store/usage/usage_document.h"

#include "base/json.h"
#include "base/json_writer.h"

namespace partywall::store {
namespace {

// Of 2^20 tenants with all meters.
constexpr JsonLimits kLimits{.max_bytes = size_t{1} << 30, .max_depth = 4};

void append_counts(JsonWriter& writer, std::span<const UsageInterval::OfTenant> tenants) {
  writer.begin_array();
  for (const auto& [tenant, counts] : tenants) {
    writer.begin_object().key("tenant").value(tenant.value().to_string());
    for (size_t i = 0; i < kUsageMeterCount; ++i) {
      const uint64_t count = counts[static_cast<UsageMeter>(i)];
      if (count != 0) writer.key(kUsageMeterNames[i]).value(count);
    }
    writer.end_object();
  }
  writer.end_array();
}

std::unexpected<Error> malformed(std::string_view member) {
  return fail(ErrorKind::kInvalid, "an interval of usage without a proper `{}`", member);
}

Result<Uuid> read_uuid(const JsonValue& object, std::string_view member) {
  const std::string* const text = object.find_string(member);
  if (text == nullptr) return malformed(member);
  return Uuid::parse(*text);
}

Result<WallTime> read_time(const JsonValue& object, std::string_view member) {
  const JsonValue* const value = object.find(member);
  const auto number = value == nullptr ? std::nullopt : value->as_int64();
  if (!number || *number < 0) return malformed(member);
  return WallTime(milliseconds(*number));
}

Result<UsageInterval::OfTenant> read_tenant(const JsonValue& value) {
  const auto id = read_uuid(value, "tenant");
  if (!id) return std::unexpected(id.error());
  UsageInterval::OfTenant result{.tenant = TenantId(*id), .counts = {}};
  for (const JsonMember& member : *value.as_object()) {
    const auto meter = find_usage_meter(member.name);
    if (!meter) continue;
    const auto count = member.value.as_int64();
    if (!count || *count < 0) return malformed(member.name);
    result.counts.add(*meter, static_cast<uint64_t>(*count));
  }
  return result;
}

Result<std::vector<UsageInterval::OfTenant>> read_tenants(const JsonValue& document) {
  const JsonValue* const value = document.find("tenants");
  if (value == nullptr || value->as_array() == nullptr) return malformed("tenants");
  std::vector<UsageInterval::OfTenant> tenants;
  for (const JsonValue& one : *value->as_array()) {
    auto tenant = read_tenant(one);
    if (!tenant) return std::unexpected(tenant.error());
    tenants.push_back(*tenant);
  }
  return tenants;
}

int64_t milliseconds_of(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

std::string write_usage_counts(std::span<const UsageInterval::OfTenant> tenants) {
  std::string text;
  JsonWriter writer(text);
  append_counts(writer, tenants);
  return text;
}

std::string write_usage_report(const UsageReport& report) {
  const UsageInterval& interval = report.interval;
  std::string text;
  JsonWriter writer(text);
  writer.begin_object().key("node").value(report.node);
  writer.key("run").value(interval.run.to_string()).key("number").value(interval.number);
  writer.key("started_ms").value(milliseconds_of(interval.started));
  writer.key("ended_ms").value(milliseconds_of(interval.ended));
  writer.key("is_last").value(interval.is_last).key("tenants");
  append_counts(writer, interval.tenants);
  writer.end_object();
  return text;
}

Result<UsageReport> read_usage_report(std::string_view text) {
  const auto document = JsonValue::parse(text, kLimits);
  if (!document) return std::unexpected(document.error());
  const std::string* const node = document->find_string("node");
  if (node == nullptr) return malformed("node");
  const auto run = read_uuid(*document, "run");
  if (!run) return std::unexpected(run.error());
  const JsonValue* const number = document->find("number");
  const auto count = number == nullptr ? std::nullopt : number->as_int64();
  if (!count || *count < 1) return malformed("number");
  const auto started = read_time(*document, "started_ms");
  if (!started) return std::unexpected(started.error());
  const auto ended = read_time(*document, "ended_ms");
  if (!ended) return std::unexpected(ended.error());
  const JsonValue* const last = document->find("is_last");
  const auto is_last = last == nullptr ? std::nullopt : last->as_bool();
  if (!is_last) return malformed("is_last");
  auto tenants = read_tenants(*document);
  if (!tenants) return std::unexpected(tenants.error());
  return UsageReport{.node = *node,
                     .interval = {.run = *run,
                                  .number = static_cast<uint64_t>(*count),
                                  .started = *started,
                                  .ended = *ended,
                                  .is_last = *is_last,
                                  .tenants = *std::move(tenants)}};
}

}  // namespace partywall::store
