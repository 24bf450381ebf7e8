#include "policy/time_budget.h"

#include <cmath>

namespace partywall {
namespace {

// Products of two times in nanoseconds do not fit into 64 bits.
Duration scaled(Duration time, Duration by, Duration over) {
  const double ratio =
      static_cast<double>(by.count()) / static_cast<double>(std::max<int64_t>(over.count(), 1));
  constexpr double kMost = 9e18;  // of 64 bits
  return Duration(std::llround(std::min(static_cast<double>(time.count()) * ratio, kMost)));
}

}  // namespace

void TimeBudget::charge(Duration used, Duration granted, MonotonicTime now) {
  if (used <= Duration(0)) return;
  const Duration most = window_ + longest_wait_;
  const int64_t added = std::min(scaled(used, window_, granted), most).count();
  const int64_t now_ns = now.time_since_epoch().count();
  int64_t before = paid_at_ns_.load(std::memory_order_relaxed);
  int64_t after = 0;
  do {
    after = std::min(std::max(before, now_ns) + added, now_ns + most.count());
  } while (!paid_at_ns_.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

Duration TimeBudget::owed(Duration granted, MonotonicTime now) const {
  return scaled(ahead(now), granted, window_);
}

}  // namespace partywall
