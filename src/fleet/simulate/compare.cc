#include "fleet/simulate/compare.h"

namespace partywall::fleet {
namespace {

PoolScaling with_concurrency(PoolScaling scaling, double concurrency) {
  const double factor = concurrency / scaling.concurrency;
  scaling.concurrency = concurrency;
  if (scaling.offered_load) scaling.offered_load->target *= factor;
  if (scaling.forecast) scaling.forecast->capacity *= factor;
  return scaling;
}

}  // namespace

LoadSeries apply(const WhatIf& what_if, LoadSeries load) {
  for (size_t i = 0; i < load.requests.size(); ++i) {
    const Duration at = load.step * static_cast<int64_t>(i);
    const bool spike = at >= what_if.spike_at && at < what_if.spike_at + what_if.spike_length;
    load.requests[i] *= what_if.load_factor * (spike ? what_if.spike_factor : 1);
  }
  return load;
}

std::vector<SimulationResult> compare(const SimulationSettings& settings, const LoadSeries& load,
                                      const std::vector<PolicyUnderTest>& policies,
                                      const WhatIf& what_if) {
  const SimulationInput input{.settings = settings,
                              .load = apply(what_if, smoothed(load, settings.decide_every)),
                              .disruptions = what_if.disruptions};
  std::vector<SimulationResult> results;
  for (const PolicyUnderTest& policy : policies) {
    const auto scaler = make_scaler(with_concurrency(policy.scaling, settings.service.concurrency));
    results.push_back(simulate(input, policy.name, *scaler));
  }
  return results;
}

}  // namespace partywall::fleet
