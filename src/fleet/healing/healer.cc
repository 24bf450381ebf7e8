#include "fleet/healing/healer.h"

#include <algorithm>
#include <cmath>

namespace partywall::fleet {

uint32_t Healer::allowance(size_t pool) const {
  const double share = std::floor(static_cast<double>(pool) * settings_.most_share);
  return std::max(settings_.most_at_once, static_cast<uint32_t>(share));
}

HealingDecision Healer::decide(MonotonicTime now, std::span<const InstanceHealth> instances) {
  using State = InstanceHealth::State;
  HealingDecision decision;
  // A replacement whose instance the provider no longer knows is over, whoever removed it.
  std::erase_if(replacing_, [&](const InstanceId& id) {
    return std::ranges::find(instances, id, &InstanceHealth::id) == instances.end();
  });

  std::vector<InstanceId> unhealthy;
  for (const InstanceHealth& instance : instances) {
    if (instance.state == State::kUnhealthy) unhealthy.push_back(instance.id);
  }
  const double share = instances.empty() ? 0
                                         : static_cast<double>(unhealthy.size()) /
                                               static_cast<double>(instances.size());
  if (unhealthy.size() >= settings_.brake_least && share >= settings_.brake_share) {
    decision.braked = true;
    return decision;
  }
  if (paused_until_ && now < *paused_until_) {
    decision.paused_until = paused_until_;
    return decision;
  }
  const uint32_t most = allowance(instances.size());
  std::ranges::sort(unhealthy, {}, [](const InstanceId& id) { return id.value(); });
  for (const InstanceId& id : unhealthy) {
    if (replacing_.size() >= most) break;
    if (std::ranges::find(replacing_, id) != replacing_.end()) continue;
    replacing_.push_back(id);
    decision.replace.push_back(id);
  }
  return decision;
}

void Healer::replaced(const InstanceId& id) {
  std::erase(replacing_, id);
  failed_launches_ = 0;
  paused_until_.reset();
}

void Healer::launch_failed(const InstanceId& id, MonotonicTime now) {
  constexpr uint32_t kMaxDoublings = 20;
  std::erase(replacing_, id);
  const Duration pause =
      settings_.first_pause * (int64_t{1} << std::min(failed_launches_, kMaxDoublings));
  ++failed_launches_;
  paused_until_ = now + std::min(settings_.longest_pause, pause);
}

}  // namespace partywall::fleet
