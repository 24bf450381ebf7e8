#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/yaml_map.h"
#include "fleet/scaling/alarm_policy.h"
#include "fleet/scaling/predictive_policy.h"
#include "fleet/scaling/scaler.h"
#include "fleet/scaling/schedule_policy.h"
#include "fleet/scaling/target_tracking.h"

namespace partywall::fleet {

// How one pool scales, as an operator writes it down: bounds, rules, and the policies that are on.
struct PoolScaling {
  ScalerSettings bounds{.min = 2, .max = 20};
  double concurrency = 20;  // requests that an instance of full weight works on at once
  std::optional<TargetTrackingSettings> offered_load;
  std::optional<TargetTrackingSettings> cpu;
  std::optional<TargetTrackingSettings> queue_length;  // pools of workers
  std::optional<AlarmPolicySettings> alarms;
  std::vector<ScheduleEntry> schedule;
  std::optional<PredictivePolicySettings> forecast;
};

// Offered load at 60 % of the concurrency, and a forecast that acts once its back-test allows it.
PoolScaling default_pool_scaling();

// The policies that users know from elsewhere, for comparison: "default", "offered-load",
// "kubernetes" (HPA on CPU), "aws" (target tracking on CPU), "case-a". nullopt: no such name.
std::optional<PoolScaling> named_pool_scaling(std::string_view name);
std::vector<std::string_view> pool_scaling_names();

// Reads a map of a configuration file into what `scaling` holds as defaults. Each policy is a
// section, and on if the section is there; without any, the default ones are on.
void read_pool_scaling(YamlMap& map, PoolScaling& scaling);

std::unique_ptr<Scaler> make_scaler(const PoolScaling& scaling);

}  // namespace partywall::fleet
