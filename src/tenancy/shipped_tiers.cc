#include "tenancy/shipped_tiers.h"

namespace partywall {
namespace {

constexpr uint64_t kMebibyte = 1ULL << 20;

Tier free_tier() {
  return {.name = "free",
          .limits = {.max_concurrent_requests = 10,
                     .api_rate = {100, minutes(1), 10},
                     .max_db_connections = 5,
                     .max_cpu_time = seconds(60),
                     .statement_timeout = seconds(5),
                     .max_memory_bytes = 512 * kMebibyte,
                     .cache_keys = 1'000,
                     .cache_bytes = 64 * kMebibyte,
                     .cache_rate = {1'000, seconds(1), 1'000},
                     .cache_time = milliseconds(100),
                     .cache_script_time = milliseconds(200),
                     .cache_scripts = CacheScripts::kAny},
          .alarms = {.error_share = 0.05, .slow_request = milliseconds(1'000)},
          .weight = 1};
}

Tier pro_tier() {
  return {.name = "pro",
          .limits = {.max_concurrent_requests = 50,
                     .api_rate = {1'000, minutes(1), 50},
                     .max_db_connections = 20,
                     .max_cpu_time = seconds(300),
                     .statement_timeout = seconds(15),
                     .max_memory_bytes = 2'048 * kMebibyte,
                     .cache_keys = 10'000,
                     .cache_bytes = 512 * kMebibyte,
                     .cache_rate = {10'000, seconds(1), 10'000},
                     .cache_time = milliseconds(250),
                     .cache_script_time = milliseconds(500),
                     .cache_scripts = CacheScripts::kAny},
          .alarms = {.error_share = 0.02, .slow_request = milliseconds(500)},
          .weight = 4};
}

Tier enterprise_tier() {
  return {.name = "enterprise",
          .limits = {.max_concurrent_requests = 200,
                     .api_rate = {10'000, minutes(1), 200},
                     .max_db_connections = 100,
                     .max_cpu_time = seconds(3'600),
                     .statement_timeout = seconds(60),
                     .max_memory_bytes = 8'192 * kMebibyte,
                     .cache_keys = 100'000,
                     .cache_bytes = 4'096 * kMebibyte,
                     .cache_rate = {100'000, seconds(1), 100'000},
                     .cache_time = milliseconds(500),
                     .cache_script_time = seconds(1),
                     .cache_scripts = CacheScripts::kAny},
          .alarms = {.error_share = 0.01, .slow_request = milliseconds(200)},
          .weight = 16};
}

}  // namespace

std::vector<Tier> shipped_tiers() { return {free_tier(), pro_tier(), enterprise_tier()}; }

}  // namespace partywall
