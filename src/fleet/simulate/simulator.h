#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fleet/scaling/scaler.h"
#include "fleet/simulate/latency_model.h"
#include "fleet/simulate/load_series.h"
#include "fleet/simulate/model.h"

namespace partywall::fleet {

// One line of the plots.
struct SimulationPoint {
  WallTime at{};
  double load = 0;      // requests in flight that are offered
  double capacity = 0;  // requests in flight that the ready weight can hold
  uint32_t instances = 0;
  double backlog = 0;  // requests that wait
};

struct SimulationResult {
  std::string policy;
  double requests = 0;
  double at_risk = 0;  // came while the utilisation was above the risk threshold, or others waited
  double failed = 0;   // would have waited for longer than `longest_wait`
  double p50 = 0;      // seconds
  double p95 = 0;
  double p99 = 0;
  double instance_hours = 0;
  double reference_hours = 0;  // of the look-ahead reference
  double cost = 0;
  uint32_t peak_instances = 0;
  uint64_t decisions = 0;
  uint64_t actions = 0;  // decisions that changed the number
  // Elasticity (Herbst et al., 2013): what was missing or too much, as a share of what was needed
  // at the target, on average over time; and the share of the time that either was so.
  double under_provision = 0;
  double over_provision = 0;
  double under_time = 0;
  double over_time = 0;
  // From a rise above the risk threshold until the capacity was there again, in seconds.
  double mean_recovery = 0;
  double worst_recovery = 0;
  std::vector<SimulationPoint> points;

  [[nodiscard]] double at_risk_share() const { return requests > 0 ? at_risk / requests : 0; }
  [[nodiscard]] double hours_ratio() const {
    return reference_hours > 0 ? instance_hours / reference_hours : 0;
  }
};

// A loss of part of the fleet at one time of the simulation.
struct Disruption {
  Duration after{};  // from the start of the trace
  double share = 0;  // of the ready instances, 0..1
};

struct SimulationInput {
  SimulationSettings settings;
  LoadSeries load;
  std::vector<Disruption> disruptions;
  size_t most_points = 4'000;  // of the plots; the trace is thinned out to that
};

// Runs one policy over a trace: discrete events (a step of the trace, a decision, an instance that
// is ready, a disruption) on a virtual clock; between two events everything is constant but the
// weights in slow start, so that the flow of requests between them is arithmetic.
SimulationResult simulate(const SimulationInput& input, const std::string& policy, Scaler& scaler);

// Instance-hours of the fewest instances with which the load never exceeds the target, for somebody
// who knows the future: what is needed at any time within the lead is running now, because it must
// have been launched, warmed up and kept until then. Never fewer than `least`, the pool's minimum.
double look_ahead_hours(const SimulationInput& input, uint32_t least);

// Multiplies the load so that its mean is what `instances` serve at the target: traces count
// requests of sites of any size.
void scale_to_mean_instances(LoadSeries& load, const SimulationSettings& settings,
                             double instances);

}  // namespace partywall::fleet
