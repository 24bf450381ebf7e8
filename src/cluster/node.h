#pragma once

#include "base/metrics.h"
#include "base/random.h"
#include "base/time.h"
#include "net/worker.h"
#include "policy/tenant_states.h"
#include "policy/usage.h"
#include "tenancy/directory_feed.h"

namespace partywall {

class LimitStore;

// What the doors of one node share. main() makes the parts and hands them to each door; they
// outlive the doors.
struct Node {
  net::WorkerGroup& workers;
  DirectoryFeed& directory;
  TenantStates& tenants;
  MetricRegistry& metrics;
  UsageRegistry& usage;
  const TimeSource& time;
  Random& random;                // thread-safe
  LimitStore* limits = nullptr;  // nullptr: the limits count for this node alone
};

}  // namespace partywall
