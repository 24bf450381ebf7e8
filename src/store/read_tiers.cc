#include <algorithm>
#include <array>

#include "store/platform_sections.h"
#include "tenancy/key_spaces.h"
#include "tenancy/shipped_tiers.h"

namespace partywall::store {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;
constexpr uint32_t kMostTokens = 10'000'000;

constexpr std::array<Choice<CacheAtQuota>, 2> kAtQuota = {
    {{"refuse", CacheAtQuota::kRefuse}, {"evict", CacheAtQuota::kEvict}}};
constexpr std::array<Choice<CacheScripts>, 3> kScripts = {{{"any", CacheScripts::kAny},
                                                           {"functions", CacheScripts::kFunctions},
                                                           {"none", CacheScripts::kNone}}};

struct Period {
  std::string_view key;
  Duration length;
  std::string_view help;
};
constexpr std::array<Period, 3> kPeriods = {{{"per_second", seconds(1), "so many each second"},
                                             {"per_minute", minutes(1), "so many each minute"},
                                             {"per_hour", hours(1), "so many each hour"}}};

void read_rate(YamlMap& map, RateLimit& rate) {
  const RateLimit before = rate;
  std::string_view first_key;
  for (const Period& period : kPeriods) {
    std::optional<uint32_t> tokens;
    if (period.length == before.period) tokens = before.tokens;
    if (!map.optional(period.key, tokens, {0, kMostTokens}, period.help)) continue;
    if (!first_key.empty())
      map.error(period.key, "'{}' and '{}' exclude each other; keep one", first_key, period.key);
    first_key = period.key;
    rate.tokens = *tokens;
    rate.period = period.length;
  }
  map.optional("burst", rate.burst, {1, kMostTokens}, "so many more at once after a pause");
}

// A limit in mebibytes, for the keys that name the unit.
void read_mebibytes(YamlMap& map, std::string_view key, uint64_t& bytes, std::string_view help) {
  uint64_t mebibytes = bytes / kMebibyte;
  if (map.optional(key, mebibytes, {1, 1ULL << 30}, help)) bytes = mebibytes * kMebibyte;
}

void read_cpu_seconds(YamlMap& map, Duration& time) {
  auto count = static_cast<uint64_t>(std::chrono::duration_cast<seconds>(time).count());
  if (map.optional("max_cpu_seconds", count, {1, 1'000'000'000},
                   "database busy time in an hour; over it the tenant comes last, over twice "
                   "it its transactions are refused")) {
    time = seconds(count);
  }
}

// A list takes the place of that of the tier.
void read_key_spaces(YamlMap& map, Limits& limits) {
  if (map.has("key_spaces")) limits.cache_key_spaces.clear();
  map.list("key_spaces",
           "kinds of keys, told apart by what their names begin with, that are treated otherwise "
           "at the quota; at most 16, the longest prefix counts",
           [&](YamlMap& inside) {
             CacheKeySpace space;
             const bool named =
                 inside.required("prefix", space.prefix, "1 to 128 bytes: which keys they are");
             const bool told = inside.required_choice(
                 "at_quota", space.at_quota, kAtQuota,
                 "for these keys; those that are refused are never evicted either");
             if (!named || !told) return;
             if (auto added = add_key_space(limits, std::move(space)); !added)
               inside.error("prefix", "{}", added.error().message);
           });
}

void read_alarms(YamlMap& map, AlarmThresholds& alarms) {
  map.optional("error_share", alarms.error_share, {0.0, 1.0},
               "share of failed requests above which an alarm is raised");
  map.optional("slow_request", alarms.slow_request, {milliseconds(1), hours(1)},
               "a request that takes longer counts as slow");
}

Tier* find_tier(std::vector<Tier>& tiers, std::string_view name) {
  const auto found = std::ranges::find(tiers, name, &Tier::name);
  return found == tiers.end() ? nullptr : &*found;
}

// What the tier starts from: the tier it extends, else the shipped one of its name, else free.
Tier starting_point(YamlMap& map, const std::string& name, std::vector<Tier>& tiers) {
  std::string base;
  const bool extends = map.optional(
      "extends", base,
      "tier whose values stand where this one has none: a shipped one, or one further up "
      "in the file; absent: the shipped tier of the same name, else `free`");
  const Tier* found = extends ? find_tier(tiers, base) : find_tier(tiers, name);
  if (extends && !found) {
    map.error("extends", "no tier '{}' is shipped or further up in the file{}", base,
              suggest_name(base, tiers, &Tier::name));
  }
  Tier tier = found ? *found : shipped_tiers().front();
  tier.name = name;
  return tier;
}

}  // namespace

void read_terms(YamlMap& map, Limits& limits, AlarmThresholds& alarms, uint32_t& weight) {
  map.optional("max_concurrent_requests", limits.max_concurrent_requests, {1, 1'000'000},
               "requests in flight at the http doors");
  map.section("api_rate_limit",
              "requests at the http doors; over any time at most rate × time + burst",
              [&](YamlMap& rate) { read_rate(rate, limits.api_rate); });
  map.optional("max_db_connections", limits.max_db_connections, {1, 10'000},
               "server connections busy at once");
  read_cpu_seconds(map, limits.max_cpu_time);
  map.optional("statement_timeout", limits.statement_timeout, {milliseconds(1), hours(24)},
               "a statement that takes longer is cancelled by the sql door");
  read_mebibytes(map, "max_memory_mb", limits.max_memory_bytes, "memory in MiB");
  map.section("cache", "what the tenant may keep in the cache", [&](YamlMap& cache) {
    cache.optional("keys", limits.cache_keys, {0, 1'000'000'000}, "keys at once");
    cache.optional("databases", limits.cache_databases, {1, kMaxCacheDatabases},
                   "databases of its own, which its clients choose with SELECT");
    read_mebibytes(cache, "megabytes", limits.cache_bytes, "memory in MiB");
    cache.optional_choice("at_quota", limits.cache_at_quota, kAtQuota,
                          "what happens to commands that would add to `keys` or `megabytes` when "
                          "those are reached: they are refused with `-OOM`, or keys that were not "
                          "used for long make room, where what is kept is nothing but a cache");
    read_key_spaces(cache, limits);
    cache.optional("redis_time", limits.cache_time, {milliseconds(1), kAllCacheTime},
                   "of Redis's own time, in each second, for the tenant's commands; `1s`: as much "
                   "as there is");
    cache.optional("script_time", limits.cache_script_time, {kLeastCacheScriptTime, minutes(1)},
                   "a script or function that runs longer is ended");
    cache.optional_choice("scripts", limits.cache_scripts, kScripts,
                          "what the tenant may have Redis run: scripts of its own (`EVAL`) and the "
                          "`functions` of its cell, only these, or neither");
  });
  map.section("cache_rate", "commands at the cache doors",
              [&](YamlMap& rate) { read_rate(rate, limits.cache_rate); });
  map.optional("weight", weight, {1, 1'000}, "share in fair queues");
  map.section("alarms", "when an alarm is raised for a tenant",
              [&](YamlMap& inside) { read_alarms(inside, alarms); });
}

void read_tiers(YamlMap& file, std::vector<Tier>& tiers) {
  tiers = shipped_tiers();
  file.named("tiers",
             "tiers beside, or instead of, the shipped `free`, `pro` and `enterprise`; the "
             "defaults shown here are those "
             "of `free`",
             [&](const std::string& name, YamlMap& map) {
               if (auto valid = check_slug(name); !valid && !map.describes())
                 map.error("", "{}", valid.error().message);
               Tier tier = starting_point(map, name, tiers);
               read_terms(map, tier.limits, tier.alarms, tier.weight);
               if (Tier* const shipped = find_tier(tiers, name)) {
                 *shipped = std::move(tier);
               } else {
                 tiers.push_back(std::move(tier));
               }
             });
}

}  // namespace partywall::store
