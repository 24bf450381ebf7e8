#include "fleet/scaling/alarm_policy.h"

#include <algorithm>
#include <cmath>

#include "fleet/scaling/instances.h"

namespace partywall::fleet {

uint32_t adjusted(uint32_t current, const Adjustment& adjustment) {
  int64_t change = adjustment.amount;
  if (adjustment.type == AdjustmentType::kExactCapacity) {
    return static_cast<uint32_t>(std::max(adjustment.amount, 0));
  }
  if (adjustment.type == AdjustmentType::kPercentChangeInCapacity) {
    const double exact = static_cast<double>(current) * adjustment.amount / 100.0;
    // 12.7 is 12, 0.67 is 1, likewise below zero.
    change = std::abs(exact) >= 1
                 ? static_cast<int64_t>(exact)
                 : static_cast<int64_t>(exact > 0) - static_cast<int64_t>(exact < 0);
    const auto least = static_cast<int64_t>(adjustment.at_least);
    if (std::abs(change) < least) change = adjustment.amount < 0 ? -least : least;
  }
  return static_cast<uint32_t>(
      std::clamp<int64_t>(static_cast<int64_t>(current) + change, 0, kMostInstances));
}

AlarmPolicySettings simple_scaling_of_case_a() {
  AlarmPolicySettings settings;
  settings.name = "case-a";
  settings.conditions = {{kCpu, 0.7}, {kMemory, 0.8}, {kLatency, 0.5}};
  return settings;
}

void AlarmPolicy::close_period(const Observation& observation) {
  has_data_ = true;
  worst_ = 0;
  bool all_below = true;
  for (size_t i = 0; i < settings_.conditions.size(); ++i) {
    const AlarmCondition& condition = settings_.conditions[i];
    const Reading reading =
        observation.signals.average(condition.signal, observation.now, settings_.period);
    if (!reading.fresh()) {
      has_data_ = false;
      all_below = false;
      breaches_[i] = 0;
      continue;
    }
    const bool breached = reading.value > condition.threshold;
    breaches_[i] = breached ? breaches_[i] + 1 : 0;
    if (breached) all_below = false;
    worst_ = std::max(worst_, reading.value / condition.threshold);
  }
  quiet_ = all_below ? quiet_ + 1 : 0;
}

Recommendation AlarmPolicy::recommend(const Observation& observation) {
  const MonotonicTime now = observation.now;
  const uint32_t current = observation.capacity.desired;
  if (!period_ends_) period_ends_ = now + settings_.period;
  if (now >= *period_ends_) {
    close_period(observation);
    // Periods nobody looked at are not made up for.
    period_ends_ = std::max(*period_ends_ + settings_.period, now);
  }

  acts_ = false;
  Recommendation result{.count = current, .value = worst_, .target = 1};
  const bool alarm = std::ranges::any_of(
      breaches_, [&](uint32_t breaches) { return breaches >= settings_.periods; });
  const bool cooling = cooldown_ends_ && now < *cooldown_ends_;
  if (alarm) {
    result.reason = cooling ? RecommendationReason::kCooldown : RecommendationReason::kAlarm;
    if (!cooling) result.count = adjusted(current, settings_.out);
  } else if (!has_data_) {
    result.count.reset();
    result.reason = RecommendationReason::kNoData;
    result.may_scale_in = false;
  } else if (quiet_ >= settings_.quiet_periods) {
    result.reason = cooling ? RecommendationReason::kCooldown : RecommendationReason::kQuietAlarm;
    if (!cooling) result.count = adjusted(current, settings_.in);
  } else {
    result.reason = RecommendationReason::kNoAlarm;
  }
  acts_ = result.count && *result.count != current;
  return result;
}

void AlarmPolicy::decided(MonotonicTime now, uint32_t before, uint32_t after) {
  if (acts_ && before != after) cooldown_ends_ = now + settings_.cooldown;
}

}  // namespace partywall::fleet
