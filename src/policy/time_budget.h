#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace partywall {

// How much time of something shared (Redis, the connections of a database) a tenant has used, where
// that is known only afterwards. It may begin something as long as it owes no more than it is
// granted in a window; so in any time t it begins nothing once it has used the grant of t and of
// one window more. What a single thing takes beyond that is owed, and waited for. From any thread.
class TimeBudget {
 public:
  static constexpr Duration kWindow = seconds(1);
  static constexpr Duration kLongestWait = seconds(60);

  // Whatever it has used: wait() is never longer than `longest_wait`.
  explicit TimeBudget(Duration window = kWindow, Duration longest_wait = kLongestWait)
      : window_(window), longest_wait_(longest_wait) {}

  // `granted`: what it may use in each window.
  void charge(Duration used, Duration granted, MonotonicTime now);
  // How long until it owes no more than the grant of one window; 0: it does not.
  [[nodiscard]] Duration wait(MonotonicTime now) const {
    return std::max(ahead(now) - window_, Duration(0));
  }
  // More than half of what it may owe?
  [[nodiscard]] bool uses_much(MonotonicTime now) const { return ahead(now) > window_ / 2; }
  // What it owes, where that much is granted in a window.
  [[nodiscard]] Duration owed(Duration granted, MonotonicTime now) const;

 private:
  // How long until it owes nothing.
  [[nodiscard]] Duration ahead(MonotonicTime now) const {
    const int64_t now_ns = now.time_since_epoch().count();
    return Duration(std::max(paid_at_ns_.load(std::memory_order_relaxed), now_ns) - now_ns);
  }

  const Duration window_;
  const Duration longest_wait_;
  std::atomic<int64_t> paid_at_ns_{INT64_MIN / 2};  // when it will owe nothing
};

}  // namespace partywall
