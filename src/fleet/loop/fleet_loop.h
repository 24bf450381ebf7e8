#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "cluster/pool_load.h"
#include "fleet/loop/pool_keeper.h"
#include "fleet/loop/pool_status.h"
#include "fleet/provider.h"
#include "tenancy/directory_feed.h"

namespace partywall::fleet {

// A pool whose instances are ours to start and end.
struct FleetPool {
  std::string cell{};
  std::string pool{};
  GroupName group;  // of the provider
  InstanceSpec spec{};
  PoolKeeping keeping{};
};

// Carries out what the keepers of its pools order: observes instances and load about once a second,
// has the provider start and end instances, and publishes those that run in the directory. Its end
// leaves the instances running; the next loop takes them over. Thread-safe.
class FleetLoop final : public MetricSource {
 public:
  // They outlive the loop. `leader`: on whose behalf the provider is told.
  struct Parts {
    Provider& provider;
    DirectoryFeed& directory;
    PoolLoadSource& loads;
    const TimeSource& time;
    FencingNumber leader;
  };

  explicit FleetLoop(Parts parts);
  ~FleetLoop() override;

  // From now on this pool too. kNotFound: the directory has none of that name.
  Result<> keep(FleetPool pool);
  // Ends all instances of all pools and keeps none any more; each instance has up to `drain` to end
  // what it works on.
  Result<> end_all(Duration drain);

  [[nodiscard]] std::vector<PoolStatus> status() const;
  // kNotFound: the loop keeps no such pool. The youngest event comes first.
  [[nodiscard]] Result<std::vector<PoolEvent>> history(std::string_view cell,
                                                       std::string_view pool) const;
  Result<> scale(std::string_view cell, std::string_view pool, uint32_t count);
  Result<> pause(std::string_view cell, std::string_view pool);
  Result<> resume(std::string_view cell, std::string_view pool);

  void write_metrics(MetricWriter& writer) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::fleet
