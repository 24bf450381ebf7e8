#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/pool_load.h"

namespace partywall::http {

class WorkerPools;

// Where the workers write down, a few times a second, how loaded the pools are that somebody
// measures. Thread-safe.
class PoolLoadBoard final : public PoolLoadSource {
 public:
  explicit PoolLoadBoard(size_t workers) : workers_(workers) {}

  void measure(std::string_view cell, std::string_view pool) override;
  // The sums over the workers, once all of them have written.
  [[nodiscard]] std::optional<PoolLoad> load(std::string_view cell,
                                             std::string_view pool) const override;

  // What this worker's pools carry now.
  void write(size_t worker, const WorkerPools& pools, MonotonicTime now);

 private:
  struct Key {
    std::string cell;
    std::string pool;
    auto operator<=>(const Key&) const = default;
  };

  size_t workers_;
  std::atomic<bool> measures_{false};  // nothing to do for the workers until somebody asks
  mutable std::mutex mutex_;
  std::map<Key, std::vector<std::optional<PoolLoad>>> pools_;  // by worker
};

}  // namespace partywall::http
