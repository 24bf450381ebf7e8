#pragma once

#include <atomic>
#include <cstdint>

#include "policy/gcra.h"
#include "policy/lease_signals.h"
#include "policy/shared_limits.h"

namespace partywall {

// A rate limit of one tenant on this node. Alone it is a Gcra. Where nodes share limits it takes
// from tokens that the limits store lent to the node: one compare-and-swap while there are any. All
// of it may be called by many threads.
class RateGate {
 public:
  // The node is alone.
  RateDecision admit(const RateLimit& limit, MonotonicTime now) { return local_.admit(limit, now); }

  struct Taken {
    RateDecision decision;
    bool ask = false;  // tell the agent that more is wanted
  };
  // From the lease; while the store does not answer, what is left of it and then the node's share.
  Taken take(const RateLimit& limit, const SharedLimits& shared, MonotonicTime now);

  // --- For the agent (LeaseBook), on one thread.
  [[nodiscard]] int64_t tokens() const { return tokens_.load(std::memory_order_relaxed); }
  // Takes back what was not used.
  int64_t withdraw() { return tokens_.exchange(0, std::memory_order_relaxed); }
  struct Credit {
    int64_t tokens = 0;
    MonotonicTime valid_until{};  // for all tokens, the earlier ones too
    int64_t ask_at = -1;          // more is wanted when no more than these are left; -1: not yet
    int64_t remaining = 0;        // that others may still get from the store
    MonotonicTime reset_at{};
  };
  void credit(const Credit& credit);
  // Takes out what is left at `at` of a share that began at `since`.
  uint32_t withdraw_share(const RateLimit& limit, uint32_t nodes, MonotonicTime since,
                          MonotonicTime at);
  LeaseSignals signals;

 private:
  bool take_lent(MonotonicTime now, RateDecision& decision, int64_t& left);

  Gcra local_;  // of the node alone, or of its share
  std::atomic<int64_t> tokens_{0};
  std::atomic<int64_t> valid_until_ns_{0};
  std::atomic<int64_t> ask_at_{-1};
  std::atomic<int64_t> remaining_{0};
  std::atomic<int64_t> reset_at_ns_{0};
};

// What one of `nodes` may admit by itself: together they stay within the limit, but for the one
// token that each has at least.
RateLimit share_of(const RateLimit& limit, uint32_t nodes);

}  // namespace partywall
