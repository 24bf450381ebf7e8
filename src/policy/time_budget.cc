#include "policy/time_budget.h"

#include <algorithm>

namespace partywall {

void TimeBudget::charge(Duration used, Duration per_second, MonotonicTime now) {
  constexpr Duration kSecond = seconds(1);
  if (per_second >= kSecond || used <= Duration(0)) return;
  constexpr Duration kMost = kWindow + kLongestWait;
  // Not more than counts, so that no product overflows.
  const Duration counted = std::min<Duration>(used, kMost);
  const double scale = static_cast<double>(kSecond.count()) /
                       static_cast<double>(std::max<int64_t>(per_second.count(), 1));
  const double owed_ns = static_cast<double>(counted.count()) * scale;
  const auto added = static_cast<int64_t>(std::min(owed_ns, static_cast<double>(kMost.count())));
  const int64_t now_ns = now.time_since_epoch().count();
  int64_t before = paid_at_ns_.load(std::memory_order_relaxed);
  int64_t after = 0;
  do {
    after = std::min(std::max(before, now_ns) + added, now_ns + kMost.count());
  } while (!paid_at_ns_.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

}  // namespace partywall
