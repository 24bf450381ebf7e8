#pragma once

#include <vector>

#include "fleet/scaling/policy.h"

namespace partywall::fleet {

// At least `count` instances between two times of day (UTC), on some days of the week.
struct ScheduleEntry {
  uint8_t weekdays = 0x7f;      // bit 0 is Monday
  std::chrono::minutes from{};  // since midnight, 0..1439
  std::chrono::minutes to{};    // exclusive; not after `from`: it ends on the next day
  uint32_t count = 0;
};

// Is the entry in force at this time?
bool in_force(const ScheduleEntry& entry, WallTime wall);

// Known load: a floor at known times. Never scales in by itself.
class SchedulePolicy final : public ScalingPolicy {
 public:
  // `lead`: how long before its time an entry counts, so that instances are ready by then.
  SchedulePolicy(std::string name, std::vector<ScheduleEntry> entries, Duration lead)
      : name_(std::move(name)), entries_(std::move(entries)), lead_(lead) {}

  [[nodiscard]] const std::string& name() const override { return name_; }
  Recommendation recommend(const Observation& observation) override;

 private:
  std::string name_;
  std::vector<ScheduleEntry> entries_;
  Duration lead_;
};

}  // namespace partywall::fleet
