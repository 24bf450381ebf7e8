#include "fleet/scaling/policy.h"

namespace partywall::fleet {

std::string_view to_string(RecommendationReason reason) {
  switch (reason) {
    case RecommendationReason::kOnTarget:
      return "on target";
    case RecommendationReason::kAboveTarget:
      return "above target";
    case RecommendationReason::kBelowTarget:
      return "below target";
    case RecommendationReason::kPanic:
      return "panic: a sudden rise";
    case RecommendationReason::kAlarm:
      return "alarm";
    case RecommendationReason::kQuietAlarm:
      return "quiet for long enough";
    case RecommendationReason::kNoAlarm:
      return "no alarm";
    case RecommendationReason::kCooldown:
      return "cooling down after the last action";
    case RecommendationReason::kScheduled:
      return "scheduled";
    case RecommendationReason::kNotScheduled:
      return "nothing is scheduled now";
    case RecommendationReason::kForecast:
      return "forecast";
    case RecommendationReason::kForecastUnproven:
      return "forecast, not proven yet";
    case RecommendationReason::kNoData:
      return "no data";
  }
  return "unknown";
}

}  // namespace partywall::fleet
