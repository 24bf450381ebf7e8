#include "http/upstream/instance_health.h"

namespace partywall::http {

InstanceKey key_of(const Cell& cell, const Pool& pool, const Instance& instance) {
  return {.cell = cell.name,
          .pool = pool.name,
          .instance = instance.id,
          .endpoint = instance.endpoint.to_string()};
}

void InstanceHealth::set(Health health, MonotonicTime now) {
  if (health == Health::kUp && !is_up()) {
    up_since_ns_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    outlier.come_back();
  }
  health_.store(health, std::memory_order_relaxed);
}

std::shared_ptr<InstanceHealth> HealthRegistry::of(const InstanceKey& key) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<InstanceHealth>& entry = entries_[key];
  std::shared_ptr<InstanceHealth> health = entry.lock();
  if (!health) {
    health = std::make_shared<InstanceHealth>();
    entry = health;
  }
  return health;
}

std::map<Health, uint64_t> HealthRegistry::count() const {
  std::map<Health, uint64_t> counts{{Health::kUnknown, 0}, {Health::kUp, 0}, {Health::kDown, 0}};
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    if (const auto health = entry.lock()) ++counts[health->get()];
  }
  return counts;
}

}  // namespace partywall::http
