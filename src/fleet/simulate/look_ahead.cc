#include <deque>

#include "fleet/scaling/instances.h"
#include "fleet/simulate/simulator.h"

namespace partywall::fleet {
namespace {

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Requests in flight that a step of the trace offers (Little's law).
double offered(const LoadSeries& load, size_t step, const ServiceModel& service) {
  return load.requests[step] / seconds_of(load.step) * seconds_of(service.service_time);
}

}  // namespace

double look_ahead_hours(const SimulationInput& input, uint32_t least) {
  const LoadSeries& load = input.load;
  const SimulationSettings& settings = input.settings;
  const double step_seconds = seconds_of(load.step);
  const double lead = seconds_of(settings.lead());

  // What is needed changes at step boundaries only, and with it the greatest need within the lead:
  // at boundaries, and one lead before them. Going backwards, `ahead` holds the needs that may
  // still be the greatest: later ones that are larger than all before.
  struct Need {
    double begins;
    double ends;
    uint32_t count;
  };
  std::deque<Need> ahead;
  double hours = 0;
  for (size_t step = load.requests.size(); step-- > 0;) {
    const double begins = step_seconds * static_cast<double>(step);
    const double ends = begins + step_seconds;
    const uint32_t count = std::max(
        least, whole_instances(offered(load, step, settings.service) / settings.target_load()));
    while (!ahead.empty() && ahead.front().count <= count) ahead.pop_front();
    ahead.push_front({begins, ends, count});
    // Within this step the horizon reaches later needs one by one: each counts from one lead
    // before its begin.
    double from = begins;
    while (ahead.size() > 1 && ahead.back().begins >= ends + lead) ahead.pop_back();
    for (size_t i = 0; i < ahead.size(); ++i) {
      const bool last = i + 1 == ahead.size();
      const double until = last ? ends : std::clamp(ahead[i + 1].begins - lead, from, ends);
      hours += (until - from) * ahead[i].count / 3600;
      from = until;
    }
  }
  return hours;
}

void scale_to_mean_instances(LoadSeries& load, const SimulationSettings& settings,
                             double instances) {
  if (load.requests.empty()) return;
  const double mean =
      load.total() / seconds_of(load.length()) * seconds_of(settings.service.service_time);
  if (mean <= 0) return;
  const double factor = instances * settings.target_load() / mean;
  for (double& requests : load.requests) requests *= factor;
}

}  // namespace partywall::fleet
