#pragma once

#include <cstdint>
#include <string_view>

namespace partywall {

// The limits of a tenant that count for all nodes together.
enum class LimitKind : uint8_t { kHttpRate, kCacheRate, kHttpRequests, kSqlConnections };

inline constexpr LimitKind kLimitKinds[] = {LimitKind::kHttpRate, LimitKind::kCacheRate,
                                            LimitKind::kHttpRequests, LimitKind::kSqlConnections};

// Counts tokens over time; the others count what goes on at once.
constexpr bool is_rate(LimitKind kind) {
  return kind == LimitKind::kHttpRate || kind == LimitKind::kCacheRate;
}

// In keys of the limits store and in metrics.
constexpr std::string_view to_string(LimitKind kind) {
  switch (kind) {
    case LimitKind::kHttpRate:
      return "http_rate";
    case LimitKind::kCacheRate:
      return "cache_rate";
    case LimitKind::kHttpRequests:
      return "http_requests";
    case LimitKind::kSqlConnections:
      return "sql_connections";
  }
  return "unknown";
}

}  // namespace partywall
