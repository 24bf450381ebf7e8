#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"
#include "tenancy/limits.h"

namespace partywall {

struct RateDecision {
  bool admitted = false;
  Duration
      retry_after{};  // refused: after this the same would be admitted (Duration::max(): never)
  uint32_t remaining = 0;  // tokens that would still be admitted now
  Duration reset_after{};  // until the full burst is there again
  bool pending = false;    // not known yet: the limits store is being asked (LimitDesk::wait)
};

// The generic cell rate algorithm (ITU-T I.371, virtual scheduling form) on one 64-bit number: the
// theoretical arrival time of the next request. Lock-free; many threads may admit at once, and in
// any time t no more than rate × t + burst are admitted together, even where the threads' clocks
// differ a little. When the limit changes, what was used before counts on under the new one.
class Gcra {
 public:
  // `now` must not be negative, `cost` is at least 1. A cost above the burst is never admitted.
  RateDecision admit(const RateLimit& limit, MonotonicTime now, uint32_t cost = 1);

  // Tokens that would be admitted at `at`.
  [[nodiscard]] uint32_t available(const RateLimit& limit, MonotonicTime at) const;
  // As if no more than `tokens` had been there at `at`.
  void begin_with(const RateLimit& limit, uint32_t tokens, MonotonicTime at);

 private:
  std::atomic<int64_t> theoretical_arrival_ns_{0};
};

}  // namespace partywall
