#include "fleet/scaling/schedule_policy.h"

#include <algorithm>

namespace partywall::fleet {

bool in_force(const ScheduleEntry& entry, WallTime wall) {
  const auto day = std::chrono::floor<std::chrono::days>(wall);
  const auto time = std::chrono::floor<std::chrono::minutes>(wall - day);
  const auto on = [&](std::chrono::sys_days date) {
    const unsigned monday_is_0 = std::chrono::weekday(date).iso_encoding() - 1;
    return (entry.weekdays >> monday_is_0 & 1U) != 0;
  };
  if (entry.from < entry.to) return on(day) && time >= entry.from && time < entry.to;
  return (on(day) && time >= entry.from) || (on(day - std::chrono::days(1)) && time < entry.to);
}

Recommendation SchedulePolicy::recommend(const Observation& observation) {
  const auto lead = std::chrono::duration_cast<milliseconds>(lead_);
  uint32_t floor = 0;
  for (const ScheduleEntry& entry : entries_) {
    if (in_force(entry, observation.wall) || in_force(entry, observation.wall + lead)) {
      floor = std::max(floor, entry.count);
    }
  }
  if (floor == 0) return {.reason = RecommendationReason::kNotScheduled};
  return {.count = floor, .reason = RecommendationReason::kScheduled};
}

}  // namespace partywall::fleet
