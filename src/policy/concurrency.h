#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "policy/lease_signals.h"
#include "policy/shared_limits.h"

namespace partywall {

class ConcurrencyGate;

// The right to do one unit of work; gives itself back.
class [[nodiscard]] ConcurrencyUnits {
 public:
  ConcurrencyUnits() = default;
  ConcurrencyUnits(ConcurrencyUnits&& other) noexcept
      : gate_(std::exchange(other.gate_, nullptr)) {}
  ConcurrencyUnits& operator=(ConcurrencyUnits&& other) noexcept {
    if (this != &other) {
      release();
      gate_ = std::exchange(other.gate_, nullptr);
    }
    return *this;
  }
  ~ConcurrencyUnits() { release(); }
  void release();
  [[nodiscard]] bool held() const { return gate_ != nullptr; }

 private:
  friend class ConcurrencyGate;
  explicit ConcurrencyUnits(ConcurrencyGate* gate) : gate_(gate) {}
  ConcurrencyGate* gate_ = nullptr;
};

// Counts units in use over all workers of the process. The limit is an argument, because a new
// directory may change it at any time; lowering it takes no unit away. Where nodes share limits the
// node may use only as many as the limits store lent to it: slots and uses are one 64-bit number,
// so that a slot that is given back is never in use.
class ConcurrencyGate {
 public:
  // The node is alone.
  std::optional<ConcurrencyUnits> try_acquire(uint32_t limit);
  [[nodiscard]] uint32_t in_use() const { return in_use_of(load()); }

  struct Taken {
    std::optional<ConcurrencyUnits> units;
    bool pending = false;  // not known yet: the limits store is being asked (LimitDesk::wait)
    bool ask = false;      // tell the agent that more is wanted
  };
  // From the slots on loan; while the store does not answer, those as long as they are valid, and
  // then the node's share.
  Taken take(uint32_t limit, const SharedLimits& shared, MonotonicTime now);

  // --- For the agent (LeaseBook), on one thread.
  [[nodiscard]] uint32_t slots() const { return slots_of(load()); }
  // Gives up all slots above `most` that are not in use; what is in use then.
  uint32_t keep(uint32_t most);
  enum class Spare : uint8_t { kNone, kSome };
  // `spare`: whether more is asked for when the last slot is taken, or only when one is missing.
  void lend(uint32_t slots, MonotonicTime valid_until, Spare spare);
  LeaseSignals signals;

 private:
  friend class ConcurrencyUnits;
  static uint32_t in_use_of(uint64_t state) { return static_cast<uint32_t>(state); }
  static uint32_t slots_of(uint64_t state) { return static_cast<uint32_t>(state >> 32); }
  [[nodiscard]] uint64_t load() const { return state_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint32_t allowed(uint64_t state, uint32_t limit, const SharedLimits& shared,
                                 MonotonicTime now) const;

  std::atomic<uint64_t> state_{0};  // slots on loan << 32 | units in use
  std::atomic<int64_t> valid_until_ns_{0};
  std::atomic<Spare> spare_{Spare::kNone};
};

// What one of `nodes` may do at once by itself; at least 1, if the limit allows anything.
uint32_t share_of(uint32_t limit, uint32_t nodes);

}  // namespace partywall
