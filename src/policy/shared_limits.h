#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace partywall {

// Where a node's right to admit comes from at present: leases of the limits store, or, while that
// does not answer, the node's own share of each limit. Written by the agent that talks to the
// store, read by all workers.
class SharedLimits {
 public:
  enum class Source : uint8_t { kStore, kShare };

  // `nodes`: how many share the limits until the store has said.
  SharedLimits(uint32_t nodes, MonotonicTime now)
      : nodes_(std::max(nodes, 1U)), since_ns_(now.time_since_epoch().count()) {}

  [[nodiscard]] Source source() const { return source_.load(std::memory_order_acquire); }
  // Nodes that are alive; at least 1. While the store is away: as many as there were.
  [[nodiscard]] uint32_t live_nodes() const { return nodes_.load(std::memory_order_relaxed); }
  // When the source became what it is.
  [[nodiscard]] MonotonicTime since() const {
    return MonotonicTime(Duration(since_ns_.load(std::memory_order_relaxed)));
  }

  void set_live_nodes(uint32_t nodes) {
    nodes_.store(std::max(nodes, 1U), std::memory_order_relaxed);
  }
  void set_source(Source source, MonotonicTime now) {
    since_ns_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    source_.store(source, std::memory_order_release);
  }

 private:
  std::atomic<Source> source_{Source::kShare};
  std::atomic<uint32_t> nodes_;
  std::atomic<int64_t> since_ns_;
};

}  // namespace partywall
