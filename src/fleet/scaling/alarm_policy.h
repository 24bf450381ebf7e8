#pragma once

#include <vector>

#include "fleet/scaling/policy.h"

namespace partywall::fleet {

// AWS' adjustment types.
enum class AdjustmentType : uint8_t {
  kChangeInCapacity,         // `amount` more (or fewer, if negative)
  kExactCapacity,            // `amount` altogether
  kPercentChangeInCapacity,  // `amount` per cent of what is there
};

struct Adjustment {
  AdjustmentType type = AdjustmentType::kChangeInCapacity;
  int32_t amount = 2;
  uint32_t at_least = 1;  // instances that a percentage changes by (MinAdjustmentMagnitude)
};

// What there will be after the adjustment. A percentage is rounded away from zero above 1 and up to
// `at_least` (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html).
uint32_t adjusted(uint32_t current, const Adjustment& adjustment);

struct AlarmCondition {
  SignalId signal = kCpu;
  double threshold = 0.7;  // breached above it
};

struct AlarmPolicySettings {
  std::string name = "alarm";
  std::vector<AlarmCondition> conditions;
  Duration period = seconds(60);
  uint32_t periods = 2;         // in a row above one threshold: scale out
  uint32_t quiet_periods = 10;  // in a row below all thresholds: scale in
  Adjustment out{};
  Adjustment in{.amount = -1};
  Duration cooldown = seconds(300);  // after an action of this policy, either way
};

// Reference case A as its makers wrote it down: CPU > 70 %, memory > 80 %, latency > 500 ms, two
// periods of 60 s, then +2, nothing more for 300 s.
AlarmPolicySettings simple_scaling_of_case_a();

// Alarms and simple scaling, as CloudWatch and Auto Scaling groups do it. A period without data
// breaks a row of breaches, and a row of quiet periods.
class AlarmPolicy final : public ScalingPolicy {
 public:
  explicit AlarmPolicy(AlarmPolicySettings settings)
      : settings_(std::move(settings)), breaches_(settings_.conditions.size()) {}

  [[nodiscard]] const std::string& name() const override { return settings_.name; }
  Recommendation recommend(const Observation& observation) override;
  void decided(MonotonicTime now, uint32_t before, uint32_t after) override;

 private:
  void close_period(const Observation& observation);

  AlarmPolicySettings settings_;
  std::vector<uint32_t> breaches_;  // periods in a row, for each condition
  uint32_t quiet_ = 0;              // periods in a row below all thresholds
  bool has_data_ = false;           // all conditions, in the last period
  double worst_ = 0;                // the highest value as a share of its threshold
  std::optional<MonotonicTime> period_ends_;
  std::optional<MonotonicTime> cooldown_ends_;
  bool acts_ = false;  // what was recommended last is a change
};

}  // namespace partywall::fleet
