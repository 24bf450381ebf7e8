#pragma once

#include <optional>

#include "base/time.h"
#include "policy/node_ledger.h"

namespace partywall {

// When a node may go by the limits store: at once if it was just started, and after an outage at
// the time that the nodes agree upon (NodeLedger). It says what to tell the store, and when.
class StoreReturn {
 public:
  enum class State : uint8_t {
    kAway,      // not connected
    kSettling,  // connected, waiting whether others are served
    kHolding,   // waiting for the epoch
    kOpen,
  };
  static constexpr Duration kBeat = milliseconds(250);
  static constexpr Duration kSettle = milliseconds(600);

  explicit StoreReturn(std::string node) : node_(std::move(node)) {}

  // From now on the node serves, whether the store is there or not.
  void serving(MonotonicTime now) {
    if (state_ != State::kOpen && !away_since_) away_since_ = now;
  }
  void connected(MonotonicTime now);
  void lost(MonotonicTime now);

  // To be sent now.
  std::optional<NodeLedger::Call> take_beat(MonotonicTime now);
  struct Opening {
    int64_t epoch_us = 0;
    bool after_outage = false;  // the node's share counts up to now
  };
  // `sent`: when that beat was.
  void answered(const NodeLedger::Answer& answer, MonotonicTime sent);
  // It will not be answered.
  void beat_lost() { beat_under_way_ = false; }
  // Once, when the node may change over.
  std::optional<Opening> take_opening(MonotonicTime now);

  [[nodiscard]] State state() const { return state_; }

 private:
  std::string node_;
  State state_ = State::kAway;
  std::optional<MonotonicTime> away_since_;  // it goes by its share since then
  MonotonicTime connected_at_{};
  MonotonicTime next_beat_{};
  bool beat_under_way_ = false;
  bool decides_ = false;  // the beat under way
  MonotonicTime opens_at_{};
  Opening opening_;
};

}  // namespace partywall
