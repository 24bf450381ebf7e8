#include "policy/usage_ledger.h"

#include <algorithm>

namespace partywall {

UsageInterval UsageLedger::take(const Directory& directory, const UsageRegistry& usage,
                                WallTime now, bool is_last) {
  for (const Tenant& tenant : directory.tenants())
    known_.try_emplace(tenant.number.value(), Known{.tenant = tenant.id, .counts = {}});

  UsageInterval interval{.run = run_,
                         .number = ++taken_,
                         .started = ended_,
                         .ended = std::max(now, ended_),
                         .is_last = is_last,
                         .tenants = {}};
  for (auto& [number, known] : known_) {
    const UsageCounts counts = usage.of(TenantNumber(number));
    const UsageCounts used = counts.since(known.counts);
    if (used.is_zero()) continue;
    known.counts = counts;
    interval.tenants.push_back({.tenant = known.tenant, .counts = used});
  }
  // In one order on all nodes, so that their transactions never wait for each other in a circle.
  std::ranges::sort(interval.tenants, {}, &UsageInterval::OfTenant::tenant);
  ended_ = interval.ended;
  return interval;
}

}  // namespace partywall
