#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace partywall {

// How much time of something that does one thing at a time (Redis) a tenant has used, where that is
// known only afterwards. It may begin something as long as it owes no more than it is granted in
// kWindow; so in any time t it begins nothing once it has used per_second × (t + kWindow). What a
// single thing takes beyond that is owed, and waited for. From any thread.
class TimeBudget {
 public:
  static constexpr Duration kWindow = seconds(1);
  // Whatever it has used: nobody is locked out for longer.
  static constexpr Duration kLongestWait = seconds(60);

  // `per_second`: what it is granted in a second; a whole second means that there is no limit.
  void charge(Duration used, Duration per_second, MonotonicTime now);
  // How long until it may begin something; 0: it may now.
  [[nodiscard]] Duration wait(MonotonicTime now) const {
    const int64_t ahead =
        paid_at_ns_.load(std::memory_order_relaxed) - now.time_since_epoch().count();
    return ahead <= Duration(kWindow).count() ? Duration(0) : Duration(ahead) - kWindow;
  }
  // More than half of what it may owe?
  [[nodiscard]] bool uses_much(MonotonicTime now) const {
    return paid_at_ns_.load(std::memory_order_relaxed) >
           (now.time_since_epoch() + kWindow / 2).count();
  }

 private:
  std::atomic<int64_t> paid_at_ns_{INT64_MIN / 2};  // when it will owe nothing
};

}  // namespace partywall
