#pragma once

#include <string>
#include <vector>

#include "policy/usage_ledger.h"
#include "store/control/session.h"

namespace partywall::store {

// An interval, and the node whose it is.
struct UsageReport {
  std::string node;
  UsageInterval interval;

  bool operator==(const UsageReport&) const = default;
};

enum class Recorded : uint8_t { kNow, kBefore };

// Adds an interval to the sums, once, however often it comes.
Result<Recorded> record_usage(Session& session, const UsageReport& report);

enum class UsageStep : uint8_t { kHour, kDay };

struct UsageSum {
  WallTime start;  // of the hour or day, UTC
  UsageCounts counts;
};
// The hours or days that begin within [from, to), the oldest first; none for those without usage.
// Hours older than kUsageHoursKept are there as days only.
Result<std::vector<UsageSum>> usage_of(Session& session, TenantId tenant, WallTime from, WallTime to,
                                       UsageStep step);

// A time for which a node's counts are missing.
struct UsageGap {
  std::string node;
  WallTime from;
  WallTime to;
};
// Those that touch [from, to), the oldest first.
Result<std::vector<UsageGap>> usage_gaps(Session& session, WallTime from, WallTime to);

inline constexpr Duration kUsageHoursKept = hours(24 * 35);

// Hours that are older become part of their day; runs that ended before, and gaps a year old, go.
Result<> age_usage(Change& change);


}  // namespace partywall::store
