#include "cache/tenant_use.h"

#include <algorithm>

#include "base/json_writer.h"
#include "tenancy/key_spaces.h"

namespace partywall::cache {
namespace {

template <class Value>
void write(JsonWriter& json, std::string_view name, const std::optional<Value>& value) {
  json.key(name);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

std::optional<uint64_t> if_known(bool known, uint64_t value) {
  return known ? std::optional(value) : std::nullopt;
}

std::optional<double> share(uint64_t part, uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

uint64_t keys_that_fit(const Limits& limits, const TenantQuota::Usage& usage) {
  if (!usage.weighed || usage.keys == 0) return limits.cache_keys;
  const uint64_t bytes_of_one = std::max<uint64_t>(usage.bytes / usage.keys, 1);
  return std::min(limits.cache_keys, limits.cache_bytes / bytes_of_one);
}

std::string to_json(const TenantUse& use) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("tenant").value(use.tenant);
  write(json, "keys", if_known(use.usage.counted, use.usage.keys));
  write(json, "bytes", if_known(use.usage.weighed, use.usage.bytes));
  json.key("quota").begin_object();
  json.key("keys").value(use.limits.cache_keys);
  json.key("bytes").value(use.limits.cache_bytes);
  json.key("at_quota").value(to_string(use.limits.cache_at_quota));
  json.key("key_spaces").begin_array();
  for (const CacheKeySpace& space : use.limits.cache_key_spaces) {
    json.begin_object();
    json.key("prefix").value(space.prefix);
    json.key("at_quota").value(to_string(space.at_quota));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.key("hits").value(use.hits);
  json.key("misses").value(use.misses);
  write(json, "hit_rate", share(use.hits, use.hits + use.misses));
  json.key("evicted_keys").value(use.evicted_keys);
  json.key("refused_commands").value(use.refused);
  json.key("nothing_to_evict").value(use.nothing_to_evict);
  json.key("estimated_hit_rate").begin_object();
  write(json, "at_quota", use.hit_rate_at_quota);
  write(json, "at_double_quota", use.hit_rate_at_double);
  json.end_object();
  json.end_object();
  return out;
}

}  // namespace partywall::cache
