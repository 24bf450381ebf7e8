#include "fleet/scaling/pool_scaling.h"

#include <array>

namespace partywall::fleet {
namespace {

constexpr double kTargetUtilisation = 0.6;
constexpr double kBearableUtilisation = 0.85;

TargetTrackingSettings offered_load_at(double utilisation, double concurrency) {
  return {.name = "offered-load",
          .signal = kOfferedLoad,
          .shape = SignalShape::kTotal,
          .target = utilisation * concurrency};
}

TargetTrackingSettings cpu_at(double utilisation) {
  return {.name = "cpu", .signal = kCpu, .shape = SignalShape::kMean, .target = utilisation};
}

// Three minutes above the target until it grows, fifteen below until it shrinks: the alarms that
// AWS makes for target tracking.
PoolScaling aws_target_tracking() {
  PoolScaling scaling;
  scaling.cpu = cpu_at(kTargetUtilisation);
  scaling.cpu->window = seconds(60);
  scaling.bounds.up.stabilisation = seconds(180);
  scaling.bounds.down.stabilisation = seconds(900);
  return scaling;
}

}  // namespace

PoolScaling default_pool_scaling() {
  PoolScaling scaling;
  scaling.offered_load = offered_load_at(kTargetUtilisation, scaling.concurrency);
  scaling.forecast =
      PredictivePolicySettings{.capacity = kBearableUtilisation * scaling.concurrency};
  return scaling;
}

std::optional<PoolScaling> named_pool_scaling(std::string_view name) {
  if (name == "default") return default_pool_scaling();
  PoolScaling scaling;
  if (name == "offered-load") {
    scaling.offered_load = offered_load_at(kTargetUtilisation, scaling.concurrency);
    return scaling;
  }
  if (name == "kubernetes") {
    scaling.cpu = cpu_at(kTargetUtilisation);
    return scaling;
  }
  if (name == "aws") return aws_target_tracking();
  if (name == "case-a") {
    scaling.alarms = simple_scaling_of_case_a();
    scaling.bounds.down.stabilisation = {};  // simple scaling has its cooldown instead
    return scaling;
  }
  return std::nullopt;
}

std::vector<std::string_view> pool_scaling_names() {
  return {"default", "offered-load", "kubernetes", "aws", "case-a"};
}

std::unique_ptr<Scaler> make_scaler(const PoolScaling& scaling) {
  std::vector<std::unique_ptr<ScalingPolicy>> policies;
  for (const auto* tracking : {&scaling.offered_load, &scaling.cpu, &scaling.queue_length}) {
    if (*tracking) policies.push_back(std::make_unique<TargetTracking>(**tracking));
  }
  if (scaling.alarms) policies.push_back(std::make_unique<AlarmPolicy>(*scaling.alarms));
  if (!scaling.schedule.empty()) {
    const Duration lead =
        scaling.forecast ? scaling.forecast->forecast.lead : ForecastSettings{}.lead;
    policies.push_back(std::make_unique<SchedulePolicy>("schedule", scaling.schedule, lead));
  }
  if (scaling.forecast) policies.push_back(std::make_unique<PredictivePolicy>(*scaling.forecast));
  return std::make_unique<Scaler>(scaling.bounds, std::move(policies));
}

}  // namespace partywall::fleet
