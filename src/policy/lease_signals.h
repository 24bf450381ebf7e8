#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace partywall {

// What workers and the agent of the limits store tell each other about one limit of one tenant.
struct LeaseSignals {
  std::atomic<bool> asked{false};  // the agent knows that more is wanted
  std::atomic<uint32_t> waiting{0};
  std::atomic<int64_t> denied_until_ns{0};  // the store has nothing before

  // True for the first to ask until the agent has answered.
  bool ask() { return !asked.load(std::memory_order_relaxed) && !asked.exchange(true); }
  [[nodiscard]] Duration denied_for(MonotonicTime now) const {
    return Duration(denied_until_ns.load(std::memory_order_relaxed)) - now.time_since_epoch();
  }
  void deny_until(MonotonicTime until) {
    denied_until_ns.store(until.time_since_epoch().count(), std::memory_order_relaxed);
  }
};

}  // namespace partywall
