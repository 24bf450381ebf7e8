#include "http/upstream/pool_load_board.h"

#include <algorithm>

#include "http/upstream/worker_pools.h"

namespace partywall::http {
namespace {

void add(PoolLoad& sum, const PoolLoad& part) {
  sum.at = std::min(sum.at, part.at);
  sum.waiting += part.waiting;
  for (const InstanceLoad& instance : part.instances) {
    InstanceLoad* const found = sum.find(instance.id, instance.endpoint);
    if (found == nullptr) {
      sum.instances.push_back(instance);
      continue;
    }
    found->in_flight += instance.in_flight;
    found->begun += instance.begun;
    found->ended += instance.ended;
    found->failed += instance.failed;
  }
}

}  // namespace

void PoolLoadBoard::measure(std::string_view cell, std::string_view pool) {
  const std::lock_guard lock(mutex_);
  pools_.try_emplace({.cell = std::string(cell), .pool = std::string(pool)}, workers_);
  measures_.store(true, std::memory_order_relaxed);
}

std::optional<PoolLoad> PoolLoadBoard::load(std::string_view cell, std::string_view pool) const {
  const std::lock_guard lock(mutex_);
  const auto found = pools_.find({.cell = std::string(cell), .pool = std::string(pool)});
  if (found == pools_.end()) return std::nullopt;
  PoolLoad sum{.at = MonotonicTime::max()};
  for (const auto& part : found->second) {
    if (!part) return std::nullopt;
    add(sum, *part);
  }
  return sum;
}

void PoolLoadBoard::write(size_t worker, const WorkerPools& pools, MonotonicTime now) {
  if (!measures_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  for (auto& [key, parts] : pools_) parts[worker] = pools.load(key.cell, key.pool, now);
}

}  // namespace partywall::http
