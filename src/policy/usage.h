#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tenancy/tenant.h"

// What a tenant used, through all doors of a node: what bills and plans are made of. Counts only
// grow, from the start of the process. docs/usage.md tells what becomes of them.
namespace partywall {

enum class UsageMeter : uint8_t {
  kHttpRequests,
  kHttpErrors,     // answered with 5xx
  kHttpThrottled,  // refused with 429
  kHttpSlow,       // slower than the tier's threshold
  kHttpReceivedBytes,
  kHttpSentBytes,
  kHttpQueueMilliseconds,
  kSqlStatements,
  kSqlTransactions,
  kSqlErrors,
  kSqlSlow,
  kSqlBusyMicroseconds,  // of server connections
  kSqlWaitMicroseconds,  // for them
  kCacheCommands,
  kCacheHits,
  kCacheMisses,
  kCacheReceivedBytes,
  kCacheSentBytes,
  kCount,
};
inline constexpr size_t kUsageMeterCount = std::to_underlying(UsageMeter::kCount);

// What each is called in the control store, the admin API and its files. Never changed.
inline constexpr std::array<std::string_view, kUsageMeterCount> kUsageMeterNames = {
    "http_requests",        "http_errors",     "http_throttled", "http_slow",
    "http_received_bytes",  "http_sent_bytes", "http_queue_ms",  "sql_statements",
    "sql_transactions",     "sql_errors",      "sql_slow",       "sql_busy_us",
    "sql_wait_us",          "cache_commands",  "cache_hits",     "cache_misses",
    "cache_received_bytes", "cache_sent_bytes"};

[[nodiscard]] constexpr std::optional<UsageMeter> find_usage_meter(std::string_view name) {
  for (size_t i = 0; i < kUsageMeterCount; ++i) {
    if (kUsageMeterNames[i] == name) return static_cast<UsageMeter>(i);
  }
  return std::nullopt;
}

class UsageCounts {
 public:
  [[nodiscard]] uint64_t operator[](UsageMeter meter) const {
    return counts_[std::to_underlying(meter)];
  }
  void add(UsageMeter meter, uint64_t amount) { counts_[std::to_underlying(meter)] += amount; }
  void add(const UsageCounts& other) {
    for (size_t i = 0; i < kUsageMeterCount; ++i) counts_[i] += other.counts_[i];
  }
  [[nodiscard]] bool is_zero() const { return counts_ == std::array<uint64_t, kUsageMeterCount>{}; }
  // What was added since `earlier`, of which every count is at most this one's.
  [[nodiscard]] UsageCounts since(const UsageCounts& earlier) const {
    UsageCounts difference;
    for (size_t i = 0; i < kUsageMeterCount; ++i)
      difference.counts_[i] = counts_[i] - earlier.counts_[i];
    return difference;
  }

  bool operator==(const UsageCounts&) const = default;

 private:
  std::array<uint64_t, kUsageMeterCount> counts_{};
};

// A door.
class UsageSource {
 public:
  virtual ~UsageSource() = default;
  // Adds what it counted for the tenant since it was started. From any thread, while others count.
  virtual void add_usage(TenantNumber tenant, UsageCounts& counts) const = 0;
};

// The doors of a node. Thread-safe; sources are removed before they are destroyed.
class UsageRegistry {
 public:
  void add(const UsageSource& source) {
    const std::lock_guard lock(mutex_);
    sources_.push_back(&source);
  }
  void remove(const UsageSource& source) {
    const std::lock_guard lock(mutex_);
    std::erase(sources_, &source);
  }
  [[nodiscard]] UsageCounts of(TenantNumber tenant) const {
    const std::lock_guard lock(mutex_);
    UsageCounts counts;
    for (const UsageSource* source : sources_) source->add_usage(tenant, counts);
    return counts;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<const UsageSource*> sources_;
};

}  // namespace partywall
