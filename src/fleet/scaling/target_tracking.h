#pragma once

#include "fleet/scaling/policy.h"

namespace partywall::fleet {

// How a signal relates to the number of instances.
enum class SignalShape : uint8_t {
  kTotal,  // of the whole pool; `target` is each instance's share of it
  kMean,   // the mean of the ready instances; `target` is what it should be
};

// Knative's panic mode: when a short window needs so much more than there is that waiting for the
// usual window would hurt.
struct PanicSettings {
  Duration window = seconds(6);
  double threshold = 2.0;              // of the ready weight
  Duration no_scale_in = seconds(60);  // after the last panic
};

struct TargetTrackingSettings {
  std::string name = "offered-load";
  SignalId signal = kOfferedLoad;
  SignalShape shape = SignalShape::kTotal;
  double target = 12;             // for each instance of full weight; above 0
  double tolerance = 0.1;         // of the target, either way: no change within it
  Duration window = seconds(15);  // the signal is averaged over it
  std::optional<PanicSettings> panic;
};

// As many instances as bring the signal to its target (Kubernetes' Horizontal Pod Autoscaler and
// AWS' target tracking do the same).
class TargetTracking final : public ScalingPolicy {
 public:
  explicit TargetTracking(TargetTrackingSettings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] const std::string& name() const override { return settings_.name; }
  Recommendation recommend(const Observation& observation) override;

 private:
  [[nodiscard]] double needed(double value, const PoolCapacity& capacity) const;

  TargetTrackingSettings settings_;
  std::optional<MonotonicTime> panic_until_;
};

}  // namespace partywall::fleet
