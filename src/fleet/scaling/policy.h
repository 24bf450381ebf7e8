#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "fleet/scaling/signal.h"

namespace partywall::fleet {

// What is there now. Instances that start count by their slow-start weight, not by a timer: their
// start-up load must not look like demand (kubernetes#29989).
struct PoolCapacity {
  uint32_t desired = 0;     // what was decided last
  uint32_t ready = 0;       // instances that get requests
  double ready_weight = 0;  // their weights, 1.0 each once slow start is over
};

struct Observation {
  MonotonicTime now{};
  WallTime wall{};  // for schedules and daily patterns
  PoolCapacity capacity;
  const PoolSignals& signals;
};

enum class RecommendationReason : uint8_t {
  kOnTarget,  // within the tolerance: what is there is right
  kAboveTarget,
  kBelowTarget,
  kPanic,       // the short window needs far more than there is
  kAlarm,       // a condition held for all its periods
  kQuietAlarm,  // no condition held for all the periods of scaling in
  kNoAlarm,
  kCooldown,  // an alarm, but the last action is too recent
  kScheduled,
  kNotScheduled,
  kForecast,
  kForecastUnproven,  // its back-test does not say yet that it may act
  kNoData,            // a signal it needs is missing or stale
};

std::string_view to_string(RecommendationReason reason);

// What one policy asks for. Kept as numbers, since it is made several times a minute for each pool;
// explain() in scaler.h turns it into words.
struct Recommendation {
  std::optional<uint32_t> count;  // nullopt: no opinion
  RecommendationReason reason = RecommendationReason::kNoData;
  double value = 0;          // what it saw
  double target = 0;         // what it compared that with
  bool may_scale_in = true;  // false: nothing below what is there, whoever asks for it
};

// One way to say how many instances a pool needs. Deterministic: what it returns depends on the
// observations it was given, in their order, and on nothing else.
class ScalingPolicy {
 public:
  virtual ~ScalingPolicy() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Called once for each decision, with `now` never going back.
  virtual Recommendation recommend(const Observation& observation) = 0;
  // What came of it, for policies that pause after an action.
  virtual void decided(MonotonicTime now, uint32_t before, uint32_t after) {
    (void)now, (void)before, (void)after;
  }
};

}  // namespace partywall::fleet
