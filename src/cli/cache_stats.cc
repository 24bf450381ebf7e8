#include "cli/cache_stats.h"

#include <cstdio>

#include <fmt/format.h>

#include "cli/api_client.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "cli/node_admin.h"
#include "cli/platform_loader.h"

namespace partywall::cli {
namespace {

constexpr double kMebibyte = 1 << 20;

double number_at(const JsonValue& value, std::string_view name) {
  const JsonValue* found = value.find(name);
  return found == nullptr ? 0 : found->as_double().value_or(0);
}

std::string percent_at(const JsonValue& value, std::string_view name) {
  const JsonValue* found = value.find(name);
  const auto share = found == nullptr ? std::nullopt : found->as_double();
  return share ? fmt::format("{:.1f} %", *share * 100) : "not known yet";
}

// Empty where the tenant has none.
std::string describe_key_spaces(const JsonValue& use) {
  const JsonValue* quota = use.find("quota");
  const JsonValue* spaces = quota == nullptr ? nullptr : quota->find("key_spaces");
  if (spaces == nullptr || spaces->as_array() == nullptr || spaces->as_array()->empty()) return {};
  std::string out = "spaces   ";
  for (const JsonValue& space : *spaces->as_array())
    out += fmt::format(" {}* {},", text_at(space, "prefix"), text_at(space, "at_quota"));
  out.back() = ';';
  return out +
         fmt::format(" {} commands found nothing to evict\n", text_at(use, "nothing_to_evict"));
}

// The base of the node's URLs; empty after it has said why there is none.
std::string admin_url(const CacheStatsOptions& options) {
  store::NodeSettings node;
  if (options.admin.empty()) {
    PlatformLoader platform(options.platform_file);
    const auto loaded = platform.load();
    if (!loaded) return {};
    node = loaded->node;
  }
  auto url = node_admin_url(options.admin, node);
  if (!url) (void)failed("cache stats", url.error());
  return url.value_or("");
}

}  // namespace

std::string describe_cache_use(const JsonValue& use) {
  static const JsonValue none{JsonObject{}};
  const auto part = [&](std::string_view name) {
    const JsonValue* found = use.find(name);
    return found == nullptr ? none : *found;
  };
  const JsonValue quota = part("quota");
  const JsonValue estimate = part("estimated_hit_rate");
  const JsonValue* bytes = use.find("bytes");
  const bool weighed = bytes != nullptr && bytes->as_double();
  std::string out;
  out += fmt::format("tenant    {}\n", text_at(use, "tenant"));
  out += fmt::format("keys      {} of {}\n", text_at(use, "keys"), text_at(use, "quota.keys"));
  out += fmt::format("memory    {} of {:.0f} MiB\n",
                     weighed ? fmt::format("{:.1f}", number_at(use, "bytes") / kMebibyte) : "-",
                     number_at(quota, "bytes") / kMebibyte);
  out += fmt::format("at quota  {}: {} keys evicted, {} commands refused\n",
                     text_at(use, "quota.at_quota"), text_at(use, "evicted_keys"),
                     text_at(use, "refused_commands"));
  out += describe_key_spaces(use);
  out += fmt::format("hit rate  {} ({} hits, {} misses)\n", percent_at(use, "hit_rate"),
                     text_at(use, "hits"), text_at(use, "misses"));
  const JsonValue* now = estimate.find("at_quota");
  if (now == nullptr || !now->as_double()) return out;
  const bool helps =
      number_at(estimate, "at_double_quota") - number_at(estimate, "at_quota") > 0.01;
  out +=
      helps ? fmt::format("estimate  doubling this quota would raise the hit rate from {} to {}\n",
                          percent_at(estimate, "at_quota"), percent_at(estimate, "at_double_quota"))
            : fmt::format("estimate  doubling this quota would leave the hit rate at {}\n",
                          percent_at(estimate, "at_quota"));
  return out;
}

int cache_stats(const CacheStatsOptions& options) {
  const std::string url = admin_url(options);
  if (url.empty()) return kExitFailure;
  fetch::Client client;
  const auto response =
      client.send({.url = url + "/cache/tenants/" + encode_segment(options.tenant)});
  if (!response)
    return failed("cache stats",
                  {ErrorKind::kUnavailable, fmt::format("{}: {}", url, response.error().message)});
  const auto use = JsonValue::parse(response->body);
  if (response->status == 404) {
    (void)failed("cache stats", {ErrorKind::kNotFound,
                                 fmt::format("the node at {} has no cache door, or no tenant '{}'",
                                             url, options.tenant)});
    return kExitNotFound;
  }
  if (response->status != 200 || !use)
    return failed("cache stats",
                  {ErrorKind::kInvalid, fmt::format("{} answered {}", url, response->status)});
  const std::string text = options.output == OutputFormat::kTable  ? describe_cache_use(*use)
                           : options.output == OutputFormat::kJson ? print_json(*use)
                                                                   : print_yaml(*use);
  fmt::print("{}", text);
  return kExitSuccess;
}

}  // namespace partywall::cli
