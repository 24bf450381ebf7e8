#include "fleet/loop/processor_meter.h"

namespace partywall::fleet {

std::optional<double> ProcessorMeter::look(MonotonicTime now,
                                           const std::map<InstanceId, ResourceUse>& use) {
  const double elapsed = std::chrono::duration<double>(now - last_at_).count();
  double busy = 0;
  uint32_t instances = 0;
  for (const auto& [id, current] : use) {
    const auto before = last_.find(id);
    if (before == last_.end() || elapsed <= 0) continue;
    const Duration used = current.processor_time - before->second.processor_time;
    if (used < Duration::zero()) continue;  // another process took its place
    busy += std::chrono::duration<double>(used).count() / elapsed;
    ++instances;
  }
  last_at_ = now;
  last_ = use;
  if (instances == 0) return std::nullopt;
  return busy / instances;
}

}  // namespace partywall::fleet
