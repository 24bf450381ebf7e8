#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "http/upstream/health_tracker.h"
#include "http/upstream/outlier_record.h"
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

// What is known about one instance: by the checker, who asks it, and by the requests of all
// workers.
class InstanceHealth {
 public:
  [[nodiscard]] Health get() const { return health_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool is_up() const { return get() == Health::kUp; }
  // When it became so, the last time.
  [[nodiscard]] MonotonicTime up_since() const {
    return MonotonicTime(Duration(up_since_ns_.load(std::memory_order_relaxed)));
  }
  // By the checker.
  void set(Health health, MonotonicTime now = {});

  OutlierRecord outlier;

 private:
  std::atomic<Health> health_{Health::kUnknown};
  std::atomic<int64_t> up_since_ns_{0};
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
