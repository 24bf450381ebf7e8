#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "fleet/scaling/policy.h"

namespace partywall::fleet {

// How far the number may move within `period`: the larger (or smaller) of the two.
struct RateRule {
  uint32_t instances = 4;
  uint32_t percent = 100;
  Duration period = seconds(15);
};

enum class RateSelect : uint8_t { kLarger, kSmaller, kDisabled };

// One direction, in the words of Kubernetes' Horizontal Pod Autoscaler (autoscaling/v2 behavior).
struct ScaleRules {
  Duration stabilisation{};  // up: the least asked for within it counts, down: the most
  RateRule rate;
  RateSelect select = RateSelect::kLarger;  // kDisabled: never in this direction
};

struct ScalerSettings {
  uint32_t min = 1;
  uint32_t max = 10;
  ScaleRules up;
  ScaleRules down{.stabilisation = seconds(300)};
};

enum class HoldBackRule : uint8_t {
  kNoScaleIn,  // a policy forbids it now: it cannot see, or has just panicked
  kStabilisation,
  kRate,
  kDisabled,  // this direction is switched off
  kMin,
  kMax,
  kPaused,  // an operator said so
};

std::string_view to_string(HoldBackRule rule);

// A rule that changed the number on its way from the policies to the decision.
struct HoldBack {
  HoldBackRule rule;
  uint32_t wanted = 0;
  uint32_t allowed = 0;
};

// Why the pool has as many instances as it has: kept for `partywall fleet explain`.
struct ScalingDecision {
  MonotonicTime at{};
  PoolCapacity capacity;                        // what was there
  uint32_t count = 0;                           // what is to be there now
  std::vector<Recommendation> recommendations;  // of the policies, in their order
  std::vector<HoldBack> held_back;              // in the order they were applied

  [[nodiscard]] bool changes() const { return count != capacity.desired; }
};

// How many instances a pool is to have. The largest recommendation wins; missing data never scales
// in; then stabilisation, rates and bounds, in this order. The same object decides in the control
// plane, in simulations and in property tests: it reads no clock and does no I/O.
class Scaler {
 public:
  Scaler(ScalerSettings settings, std::vector<std::unique_ptr<ScalingPolicy>> policies);

  // `now` of the observations never goes back. The caller carries the decision out, or tells what
  // there is instead in the next observation.
  ScalingDecision decide(const Observation& observation);

  // Until resume(), decisions are made and explained, and change nothing.
  void pause() { paused_ = true; }
  void resume() { paused_ = false; }
  [[nodiscard]] bool paused() const { return paused_; }

  [[nodiscard]] const ScalerSettings& settings() const { return settings_; }
  // "12 -> 14: offered-load asks for 16 (in flight and queued 220, target 14) …", for people.
  [[nodiscard]] std::string explain(const ScalingDecision& decision) const;

 private:
  struct Past {
    MonotonicTime at;
    uint32_t count;
  };

  uint32_t stabilise(uint32_t wanted, const Observation& observation);
  uint32_t limit_rate(uint32_t wanted, const Observation& observation) const;
  [[nodiscard]] uint32_t count_before(Duration period, MonotonicTime now, uint32_t current) const;

  ScalerSettings settings_;
  std::vector<std::unique_ptr<ScalingPolicy>> policies_;
  // Recommendations of the longer stabilisation window that may still matter: falling for the
  // greatest, rising for the least, so that each step costs constant time on average.
  std::deque<Past> greatest_;
  std::deque<Past> least_;
  std::deque<Past> counts_;  // what was decided, as far back as the rates look
  bool paused_ = false;
  bool began_ = false;
};

}  // namespace partywall::fleet
