#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "policy/limit_desk.h"
#include "policy/rate_ledger.h"
#include "policy/slot_ledger.h"
#include "policy/store_return.h"

namespace partywall {

// Times of leases as a node sees them. Each is shorter than the store's, and counts from when the
// node asked, so that the node stops first, whatever the two clocks say.
inline constexpr Duration kRateLease = seconds(1);
// Of a single token, which is asked for by somebody who waits for it: as long as it counts as lent
// it keeps the next one from accruing where the burst is nearly whole.
inline constexpr Duration kShortRateLease = milliseconds(200);
inline constexpr Duration kSlotLease = milliseconds(2'750);
// After a refusal the store is not asked again before this, however soon it has a token.
inline constexpr Duration kLeastPause = milliseconds(20);

// How many tokens a node asks for: what the limit yields in 100 ms, and not so many that the leases
// of all nodes would take up the burst.
uint32_t lease_size(const RateLimit& limit, uint32_t live_nodes);

// The node's side of the leases: what to ask the limits store, and what its answers mean for the
// gates of the tenants. No I/O and no clock; belongs to one thread (the agent's).
class LeaseBook {
 public:
  // `node`: one life of this node, different from all others.
  LeaseBook(std::string node, TenantStates& states, SharedLimits& shared)
      : node_(std::move(node)), states_(states), shared_(shared) {}

  struct Call {
    uint64_t ticket = 0;
    LimitAsk what;
    std::variant<RateLedger::Call, SlotLedger::Call> call;
  };
  using Answer = std::variant<RateLedger::Answer, SlotLedger::Answer>;
  struct Wake {
    uint32_t desk;
    TenantNumber number;
    LimitKind kind;
  };

  // --- What the desks want.
  void ask(const LimitAsk& ask, MonotonicTime now);

  // --- The store. Until open() nothing is lent; what is under way is told from connected() on.
  void connected() { link_ = Link::kConnected; }
  void open(const StoreReturn::Opening& opening, MonotonicTime now);
  // Everything that was asked is void.
  void lost(MonotonicTime now);

  // What to send now.
  std::vector<Call> take_calls(MonotonicTime now);
  void answered(uint64_t ticket, const Answer& answer, MonotonicTime now);
  // Leases that end, slots to renew. Call it every kTick.
  void tick(MonotonicTime now);
  static constexpr Duration kTick = milliseconds(100);

  // Whom to tell about answers since the last call.
  std::vector<Wake> take_wakes() { return std::exchange(wakes_, {}); }
  [[nodiscard]] size_t size() const { return entries_.size(); }

  // Since the book was opened.
  struct Counters {
    Counter calls;
    Counter granted;   // tokens, slots
    Counter returned;  // tokens that were not used
    Counter denied;    // calls that got less than they wanted
  };
  // From any thread.
  [[nodiscard]] const Counters& counters(LimitKind kind) const {
    return counters_[static_cast<size_t>(kind)];
  }

 private:
  enum class Link : uint8_t { kLost, kConnected, kOpen };
  enum class Purpose : uint8_t { kNothing, kMore, kGiveBack, kRenew };

  struct Entry {
    LimitAsk what;
    std::vector<uint32_t> desks;  // who waits
    Purpose due = Purpose::kNothing;
    uint64_t in_flight = 0;  // the sequence of the call; 0: none
    MonotonicTime sent{};
    MonotonicTime lease_began{};
    MonotonicTime lease_ends{};
    Duration lease{};
    int64_t wanted = 0;
    uint32_t in_use_before = 0;  // slots: at the last renewal
    bool scarce = false;
    int64_t epoch_us = 0;
  };

  static uint64_t key_of(const LimitAsk& ask) {
    return uint64_t{ask.number.value()} << 8 | static_cast<uint64_t>(ask.kind);
  }
  [[nodiscard]] RateGate& rate_gate(const Entry& entry);
  [[nodiscard]] ConcurrencyGate& slot_gate(const Entry& entry);
  [[nodiscard]] LeaseSignals& signals(const Entry& entry);
  void want(uint64_t key, Entry& entry, Purpose purpose);
  RateLedger::Call rate_call(Entry& entry, Purpose purpose, MonotonicTime now);
  SlotLedger::Call slot_call(Entry& entry, Purpose purpose);
  [[nodiscard]] uint32_t slots_to_have(const Entry& entry, Purpose purpose);
  void rate_answered(Entry& entry, const RateLedger::Answer& answer, MonotonicTime now);
  void slots_answered(Entry& entry, const SlotLedger::Answer& answer, MonotonicTime now);
  bool tick_rate(uint64_t key, Entry& entry, MonotonicTime now);
  bool tick_slots(uint64_t key, Entry& entry, MonotonicTime now);
  void wake(Entry& entry);

  std::string node_;
  TenantStates& states_;
  SharedLimits& shared_;
  Link link_ = Link::kLost;
  int64_t epoch_us_ = 0;
  // The share that this node admitted by before the epoch began; nodes 0: none.
  struct Share {
    uint32_t nodes = 0;
    MonotonicTime since{};
    MonotonicTime until{};
  } share_;
  uint64_t last_sequence_ = 0;
  std::unordered_map<uint64_t, Entry> entries_;
  std::vector<uint64_t> due_;
  std::vector<Wake> wakes_;
  Counters counters_[std::size(kLimitKinds)];
};

}  // namespace partywall
