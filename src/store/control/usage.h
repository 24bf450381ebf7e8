#pragma once

#include <optional>
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
Result<std::vector<UsageSum>> usage_of(Session& session, TenantId tenant, WallTime from,
                                       WallTime to, UsageStep step);

// A time for which a node's counts are missing.
struct UsageGap {
  std::string node;
  WallTime from;
  WallTime to;
};
// Those that touch [from, to), the oldest first.
Result<std::vector<UsageGap>> usage_gaps(Session& session, WallTime from, WallTime to);

// What all tenants used in one hour or day, by tenant id: a page of those after `after`.
struct UsageOfTenant {
  TenantId tenant;
  std::string slug;  // empty: the tenant is gone
  UsageCounts counts;
};
Result<std::vector<UsageOfTenant>> usage_at(Session& session, WallTime start, UsageStep step,
                                            std::optional<TenantId> after, uint32_t most);

// The hour whose usage is to be told: over for ten minutes, so that what nodes send every few
// seconds is in it.
Result<std::optional<WallTime>> usage_hour_to_tell(Session& session);
// Notes `usage.hour`, if anybody used anything, and goes on to the next hour.
Result<> tell_usage_hour(Change& change, WallTime hour);

inline constexpr Duration kUsageHoursKept = hours(24 * 35);

// Hours that are older become part of their day; runs that ended before, and gaps a year old, go.
Result<> age_usage(Change& change);

}  // namespace partywall::store
