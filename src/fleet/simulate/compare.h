#pragma once

#include <string>
#include <vector>

#include "fleet/scaling/pool_scaling.h"
#include "fleet/simulate/simulator.h"

namespace partywall::fleet {

struct PolicyUnderTest {
  std::string name;
  PoolScaling scaling;
};

// What happens to the load or the fleet, for capacity planning.
struct WhatIf {
  double load_factor = 1;        // 2: twice as many tenants of the same kind
  double spike_factor = 1;       // the load during the spike is that many times as high
  Duration spike_at = hours(1);  // after the start
  Duration spike_length{};       // zero: no spike
  std::vector<Disruption> disruptions;
};

LoadSeries apply(const WhatIf& what_if, LoadSeries load);

// Runs each policy over the same load. Their service model is `settings`'; a policy's idea of an
// instance's concurrency is made the model's, so that all are told the truth.
std::vector<SimulationResult> compare(const SimulationSettings& settings, const LoadSeries& load,
                                      const std::vector<PolicyUnderTest>& policies,
                                      const WhatIf& what_if);

}  // namespace partywall::fleet
