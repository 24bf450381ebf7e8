#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tenancy/limits.h"

namespace partywall {

// How many tokens a rate limit has, kept for all nodes in one place. This is the model of the
// script that runs in the limits store (cluster/rate_script.cc); simulations use it in its place,
// and a test compares the two step by step. Times are microseconds of the store's clock, which
// alone counts.
//
// The generic cell rate algorithm on one arrival time, and beside it what each node was lent and
// has not accounted for. Both together never exceed the burst: what is free and what is lent only
// grow by the rate, up to the burst, and only shrink by use. So whatever the nodes do with their
// leases, and whenever they do it, no more than rate × t + burst are used in any time t.
class RateLedger {
 public:
  struct Call {
    std::string node;       // one life of one node
    uint64_t sequence = 0;  // grows with each call of the node; an older one is void
    int64_t held = 0;       // unused tokens that the node keeps
    int64_t returned = 0;   // unused tokens that it gives back
    int64_t wanted = 0;
    // How long they count as lent from now on. The node believes in less, from when it asked.
    int64_t lent_for_us = 1'250'000;
    // Since when the store counts for all nodes again, after it was away for all: before that
    // nothing accrued here.
    int64_t epoch_us = 0;
    int64_t deposit = 0;  // what the node had left of its share then
  };
  struct Answer {
    int64_t granted = 0;
    int64_t remaining = 0;  // free ones after that
    int64_t wait_us = 0;    // until there is one
    int64_t reset_us = 0;   // until the burst is whole again

    bool operator==(const Answer&) const = default;
  };

  // `now_us` never goes back. A limit may differ from that of the call before.
  Answer call(const RateLimit& limit, const Call& call, int64_t now_us);

 private:
  struct Loan {
    std::string node;
    int64_t held = 0;
    int64_t until_us = 0;
    uint64_t sequence = 0;
  };

  void expire(double interval_us, int64_t now_us);
  [[nodiscard]] int64_t lent() const;

  int64_t arrival_us_ = 0;
  int64_t epoch_us_ = 0;
  std::vector<Loan> loans_;
};

}  // namespace partywall
