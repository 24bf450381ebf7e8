#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace partywall {

// Which nodes are alive, and since when the limits store counts for them. The model of the script
// in cluster/node_script.cc. Times are microseconds of the store's clock.
//
// When the store was away for everybody, the nodes went by their shares. They must not come back
// one by one: those who are back would have the whole limit, beside the others' shares. So the
// first one to come back sets a time, an epoch, at which all change over. A node that was away
// alone, while others were served, just joins them.
class NodeLedger {
 public:
  static constexpr int64_t kAliveForUs = 3'000'000;
  // All who can come back have done so by then, and all older leases are void.
  static constexpr int64_t kEpochAfterUs = 1'500'000;
  // Nodes that are served say so more often than that.
  static constexpr int64_t kServedWithinUs = 550'000;

  enum class State : uint8_t {
    kJoining,   // neither served nor away: it has just been started or come back
    kDeciding,  // it was away, and needs to know when to change over
    kServed,
  };
  struct Call {
    std::string node;
    State state = State::kJoining;
    int64_t away_us = 0;
  };
  struct Answer {
    int64_t now_us = 0;
    int64_t live = 0;
    int64_t epoch_us = 0;  // may be still to come; 0: there was none

    bool operator==(const Answer&) const = default;
  };

  Answer call(const Call& call, int64_t now_us);

 private:
  std::map<std::string, int64_t> seen_us_;
  std::map<std::string, int64_t> served_us_;
  int64_t epoch_us_ = 0;
  int64_t decided_us_ = 0;
};

}  // namespace partywall
