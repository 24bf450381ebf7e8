#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace partywall {

// How many things may be done at once, kept for all nodes in one place: each node has slots on
// loan, and together they never have more than the limit, but for work that was already under way
// (a limit that was lowered, a store that was away). The model of the script in
// cluster/slot_script.cc. A node that does not renew its loan for kLentForUs has none any more.
class SlotLedger {
 public:
  static constexpr int64_t kLentForUs = 3'000'000;
  // So long all nodes are asked to give back what they do not use after one did not get enough.
  static constexpr int64_t kScarceForUs = 1'000'000;

  struct Call {
    std::string node;
    uint64_t sequence = 0;  // as in RateLedger
    int64_t in_use = 0;     // it keeps at least these
    int64_t wanted = 0;     // in all
  };
  struct Answer {
    int64_t granted = 0;  // in all; a void call: -1
    int64_t scarce = 0;   // 1: keep no slot that is not in use
    bool operator==(const Answer&) const = default;
  };

  Answer call(uint32_t limit, const Call& call, int64_t now_us);

 private:
  struct Loan {
    std::string node;
    int64_t slots = 0;
    int64_t until_us = 0;
    uint64_t sequence = 0;
  };

  int64_t scarce_until_us_ = 0;
  std::vector<Loan> loans_;
};

}  // namespace partywall
