#include "fleet/scaling/target_tracking.h"

#include <cmath>

#include "fleet/scaling/instances.h"

namespace partywall::fleet {

// In instances of full weight; not rounded.
double TargetTracking::needed(double value, const PoolCapacity& capacity) const {
  if (settings_.shape == SignalShape::kTotal) return value / settings_.target;
  return capacity.ready_weight * value / settings_.target;
}

Recommendation TargetTracking::recommend(const Observation& observation) {
  const auto& [now, wall, capacity, signals] = observation;
  const Reading reading = signals.average(settings_.signal, now, settings_.window);
  Recommendation result{.target = settings_.target};
  if (!reading.fresh()) {
    result.may_scale_in = false;
    return result;
  }
  result.value = reading.value;

  if (settings_.panic) {
    const Reading sudden = signals.average(settings_.signal, now, settings_.panic->window);
    const double sudden_need = sudden.fresh() ? needed(sudden.value, capacity) : 0;
    if (sudden_need >= settings_.panic->threshold * std::max(capacity.ready_weight, 1.0)) {
      panic_until_ = now + settings_.panic->no_scale_in;
      result.value = sudden.value;
      result.count = whole_instances(std::max(sudden_need, needed(reading.value, capacity)));
      result.reason = RecommendationReason::kPanic;
      result.may_scale_in = false;
      return result;
    }
    if (panic_until_ && now < *panic_until_) result.may_scale_in = false;
  }

  const double need = needed(reading.value, capacity);
  const double there =
      settings_.shape == SignalShape::kTotal ? capacity.desired : capacity.ready_weight;
  if (there > 0 && std::abs(need / there - 1.0) <= settings_.tolerance) {
    result.count = capacity.desired;
    result.reason = RecommendationReason::kOnTarget;
    return result;
  }
  result.count = whole_instances(need);
  result.reason =
      need > there ? RecommendationReason::kAboveTarget : RecommendationReason::kBelowTarget;
  return result;
}

}  // namespace partywall::fleet
