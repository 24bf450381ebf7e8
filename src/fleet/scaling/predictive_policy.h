#pragma once

#include "fleet/scaling/forecast.h"
#include "fleet/scaling/policy.h"

namespace partywall::fleet {

struct PredictivePolicySettings {
  std::string name = "forecast";
  SignalId signal = kOfferedLoad;  // a total of the pool
  double capacity = 17;            // load that an instance of full weight bears without risk
  ForecastSettings forecast;
};

// Launches what will be needed by the time it is ready. Never scales in; says what it would do, and
// does nothing, until its back-test allows it to act.
class PredictivePolicy final : public ScalingPolicy {
 public:
  explicit PredictivePolicy(PredictivePolicySettings settings)
      : settings_(std::move(settings)), forecast_(settings_.forecast) {}

  [[nodiscard]] const std::string& name() const override { return settings_.name; }
  Recommendation recommend(const Observation& observation) override;

 private:
  PredictivePolicySettings settings_;
  LoadForecast forecast_;
  std::optional<MonotonicTime> minute_ends_;
};

}  // namespace partywall::fleet
