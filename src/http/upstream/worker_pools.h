#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "cluster/pool_load.h"
#include "http/upstream/instance_group.h"
#include "tenancy/directory.h"

namespace partywall::http {

// The pools of all cells as one worker sees them. It belongs to the worker's thread.
class WorkerPools {
 public:
  explicit WorkerPools(HealthRegistry& registry, const PoolBounds& bounds = {},
                       const BalanceSettings& balance = {})
      : registry_(registry), bounds_(bounds), balance_(balance) {}

  // Instances that stay keep their connections and counts. Groups handed out before stay valid
  // for as long as they are held.
  void update(DirectoryRef directory);

  // nullptr: the cell has no such pool.
  std::shared_ptr<InstanceGroup> find(const Cell& cell, std::string_view pool) const;
  // What it carries now; nothing if the directory has no such pool.
  std::optional<PoolLoad> load(std::string_view cell, std::string_view pool,
                               MonotonicTime now) const;
  // Instances that have become healthy make room for whoever waits. To be called a few times a
  // second.
  void update_capacities(MonotonicTime now) const;
  // To be called every few seconds.
  void close_stale(MonotonicTime now, const ConnectionReuse& reuse);

 private:
  using Key = std::pair<std::string_view, std::string_view>;  // cell, pool: of directory_
  struct KeyHash {
    size_t operator()(const Key& key) const noexcept {
      return std::hash<std::string_view>()(key.first) * 31 +
             std::hash<std::string_view>()(key.second);
    }
  };

  HealthRegistry& registry_;
  PoolBounds bounds_;
  BalanceSettings balance_;
  DirectoryRef directory_;  // keeps the names of the keys
  std::unordered_map<Key, std::shared_ptr<InstanceGroup>, KeyHash> groups_;
};

}  // namespace partywall::http
