#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/upstream/health_tracker.h"
#include "tenancy/cell.h"

namespace partywall::http {

// Which instance is meant, over all directories: a replaced one at the same address is another one.
struct InstanceKey {
  std::string cell;
  std::string pool;
  std::string instance;
  std::string endpoint;

  auto operator<=>(const InstanceKey&) const = default;
};

InstanceKey key_of(const Cell& cell, const Pool& pool, const Instance& instance);

// What the checker knows about one instance, for all workers to read.
class InstanceHealth {
 public:
  [[nodiscard]] Health get() const { return health_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool is_up() const { return get() == Health::kUp; }
  void set(Health health) { health_.store(health, std::memory_order_relaxed); }

 private:
  std::atomic<Health> health_{Health::kUnknown};
};

// The instances of the process. Thread-safe; an entry lives as long as somebody uses it.
class HealthRegistry {
 public:
  std::shared_ptr<InstanceHealth> of(const InstanceKey& key);
  // How many instances of each health there are now, for the metrics.
  [[nodiscard]] std::map<Health, uint64_t> count() const;

 private:
  mutable std::mutex mutex_;
  std::map<InstanceKey, std::weak_ptr<InstanceHealth>> entries_;
};

}  // namespace partywall::http
