#pragma once

#include <deque>
#include <vector>

#include "base/random.h"
#include "fleet/simulate/model.h"

namespace partywall::fleet {

// The instances of one pool in a simulation: launched, booting, in slow start, at full weight.
// Instances that became ready at one time are kept as one group, so that a pool of thousands costs
// no more than one of ten.
class SimulatedFleet {
 public:
  // `random` must outlive it.
  SimulatedFleet(const ServiceModel& model, Random& random) : model_(model), random_(random) {}

  // Instances that have been at full weight for ever.
  void start_with(uint32_t count);
  void scale_to(uint32_t count, MonotonicTime now);
  // Lets what has booted by `now` serve.
  void advance(MonotonicTime now);
  // Loses this share of what is ready at once, rounded up: a zone that fails. They are replaced
  // only by what is launched afterwards.
  void lose_share(double share);

  [[nodiscard]] MonotonicTime next_ready() const;  // MonotonicTime::max(): nothing boots
  [[nodiscard]] uint32_t launched() const { return booting_count_ + ready_; }
  [[nodiscard]] uint32_t ready() const { return ready_; }
  // The sum of weights. Slow start counts only beside at least one instance that is past it (as at
  // AWS' load balancer): else all are at full weight.
  [[nodiscard]] double weight(MonotonicTime now) const;

 private:
  struct Group {
    MonotonicTime since;
    uint32_t count = 0;
  };
  struct Later {
    bool operator()(const Group& a, const Group& b) const { return a.since > b.since; }
  };

  void launch(uint32_t count, MonotonicTime now);
  void terminate(uint32_t count);

  const ServiceModel& model_;
  Random& random_;
  std::vector<Group> booting_;  // a heap, the next to be ready first
  std::deque<Group> warming_;   // in slow start, the oldest first
  uint32_t booting_count_ = 0;
  uint32_t ready_ = 0;  // warming and full
  uint32_t full_ = 0;
};

}  // namespace partywall::fleet
