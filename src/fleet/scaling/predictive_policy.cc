#include "fleet/scaling/predictive_policy.h"

#include "fleet/scaling/instances.h"

namespace partywall::fleet {

Recommendation PredictivePolicy::recommend(const Observation& observation) {
  const MonotonicTime now = observation.now;
  if (!minute_ends_) minute_ends_ = now + minutes(1);
  if (now >= *minute_ends_) {
    const Reading minute = observation.signals.average(settings_.signal, now, minutes(1));
    if (minute.fresh()) forecast_.add_minute(minute.value);
    minute_ends_ = std::max(*minute_ends_ + minutes(1), now);
  }
  // It only ever adds: without data it has no opinion, and forbids nothing.
  const auto outlook = forecast_.outlook();
  Recommendation result{.reason = RecommendationReason::kNoData, .target = settings_.capacity};
  if (!outlook) return result;
  result.value = outlook->most;
  result.reason =
      outlook->proven ? RecommendationReason::kForecast : RecommendationReason::kForecastUnproven;
  if (outlook->proven) result.count = whole_instances(outlook->most / settings_.capacity);
  return result;
}

}  // namespace partywall::fleet
