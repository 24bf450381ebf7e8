#include "http/upstream/worker_pools.h"

namespace partywall::http {

void WorkerPools::update(DirectoryRef directory) {
  std::unordered_map<Key, std::shared_ptr<InstanceGroup>, KeyHash> next;
  for (const Cell& cell : directory->cells()) {
    for (const Pool& pool : cell.pools) {
      const auto before = groups_.find({cell.name, pool.name});
      next.emplace(
          Key{cell.name, pool.name},
          std::make_shared<InstanceGroup>(cell, pool, registry_,
                                          before == groups_.end() ? nullptr : before->second.get(),
                                          bounds_, balance_));
    }
  }
  groups_ = std::move(next);
  directory_ = std::move(directory);
}

std::shared_ptr<InstanceGroup> WorkerPools::find(const Cell& cell, std::string_view pool) const {
  const auto found = groups_.find({cell.name, pool});
  return found == groups_.end() ? nullptr : found->second;
}

std::optional<PoolLoad> WorkerPools::load(std::string_view cell, std::string_view pool,
                                          MonotonicTime now) const {
  const auto found = groups_.find({cell, pool});
  if (found == groups_.end()) return std::nullopt;
  return found->second->load(now);
}

void WorkerPools::update_capacities(MonotonicTime now) const {
  for (const auto& [key, group] : groups_) group->slots(now);
}

void WorkerPools::close_stale(MonotonicTime now, const ConnectionReuse& reuse) {
  for (const auto& [key, group] : groups_) {
    for (const auto& instance : group->instances()) instance->close_stale(now, reuse);
  }
}

}  // namespace partywall::http
