#pragma once

#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"
#include "policy/usage.h"
#include "tenancy/directory.h"

namespace partywall {

// What one run of a node counted between two times.
struct UsageInterval {
  struct OfTenant {
    TenantId tenant;
    UsageCounts counts;

    bool operator==(const OfTenant&) const = default;
  };

  Uuid run;
  uint64_t number = 1;  // within the run, from 1, without gaps
  WallTime started;
  WallTime ended;
  bool is_last = false;           // the node ended in order: nothing was counted after it
  std::vector<OfTenant> tenants;  // those that used anything

  bool operator==(const UsageInterval&) const = default;
};

// Cuts the counts of a run into intervals that touch each other. Not thread-safe.
class UsageLedger {
 public:
  UsageLedger(Uuid run, WallTime started) : run_(run), ended_(started) {}

  // What was counted since the last one. A tenant that has left the directory is counted on as the
  // one it was: its last requests may still be ending. A clock that was set back stands still.
  UsageInterval take(const Directory& directory, const UsageRegistry& usage, WallTime now,
                     bool is_last);

 private:
  struct Known {
    TenantId tenant;
    UsageCounts counts;
  };

  Uuid run_;
  uint64_t taken_ = 0;
  WallTime ended_;
  std::unordered_map<uint32_t, Known> known_;  // by tenant number, which belongs to one tenant only
};

}  // namespace partywall
