#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

// What a tier grants, each limit with its unit. The shipped values are in tenancy/shipped_tiers.h;
// docs/limits.md explains them.
namespace partywall {

// At most `tokens` in any `period`, plus a burst: over any time t no more than
// tokens × t / period + burst are admitted.
struct RateLimit {
  uint32_t tokens = 0;  // 0: nothing is admitted
  Duration period = minutes(1);
  uint32_t burst = 1;

  bool operator==(const RateLimit&) const = default;
};

// Databases of its own that a tenant may have at the cache door; Redis has 16 by default.
inline constexpr uint32_t kMaxCacheDatabases = 16;

// Redis does one thing at a time: a tenant that may have a second of each second has no limit.
inline constexpr Duration kAllCacheTime = seconds(1);
// Redis itself allows no less: it is set up to look around after this much of a script.
inline constexpr Duration kLeastCacheScriptTime = milliseconds(100);

// What happens at cache_keys and cache_bytes to commands that would add to them.
enum class CacheAtQuota : uint8_t {
  kRefuse,  // they are refused: the keys may be jobs or sessions, which must not get lost
  kEvict,   // keys that were not used for long make room: what is kept there is a cache
};

// Keys of a tenant whose names begin so.
struct CacheKeySpace {
  std::string prefix;
  CacheAtQuota at_quota = CacheAtQuota::kRefuse;

  bool operator==(const CacheKeySpace&) const = default;
};

// What of a tenant Redis runs in its interpreters of Lua.
enum class CacheScripts : uint8_t {
  kAny,        // scripts of its own: EVAL
  kFunctions,  // nothing but the functions that the operator provides: FCALL
  kNone,
};

struct Limits {
  uint32_t max_concurrent_requests = 10;  // in flight at the http doors of all nodes
  RateLimit api_rate{100, minutes(1), 10};
  uint32_t max_db_connections = 5;          // server connections busy at once, all nodes
  Duration max_cpu_time = seconds(60);      // database busy time per sliding hour
  Duration statement_timeout = seconds(5);  // by the sql door's clock
  uint64_t max_memory_bytes = 512ULL << 20;
  uint64_t cache_keys = 1'000;
  uint64_t cache_bytes = 64ULL << 20;
  CacheAtQuota cache_at_quota = CacheAtQuota::kRefuse;
  std::vector<CacheKeySpace> cache_key_spaces{};  // as tenancy/key_spaces.h has them
  uint32_t cache_databases = 1;                   // SELECT 0 … n-1, at most kMaxCacheDatabases
  RateLimit cache_rate{1'000, seconds(1), 1'000};
  Duration cache_time = milliseconds(100);  // of Redis's own time, in a second; kAllCacheTime: all
  Duration cache_script_time = milliseconds(200);  // a script that runs longer is ended
  CacheScripts cache_scripts = CacheScripts::kAny;

  bool operator==(const Limits&) const = default;
};

// When observe/ raises an alarm for one tenant of the tier.
struct AlarmThresholds {
  double error_share = 0.05;                   // of requests, 0..1
  Duration slow_request = milliseconds(1000);  // a request above it counts as slow

  bool operator==(const AlarmThresholds&) const = default;
};

}  // namespace partywall
