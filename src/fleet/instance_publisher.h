#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "fleet/provider.h"
#include "tenancy/directory_feed.h"

namespace partywall::fleet {

// Which pool of the directory a group's instances serve.
struct PoolPlacement {
  GroupName group;
  std::string cell{};
  std::string pool{};
};

// The directory with exactly the running instances of `observed` in that pool; null if that is what
// it has already. Those of `draining` have the weight 0: they get no new request. Whether they are
// healthy is not asked: the doors check that themselves.
Result<DirectoryRef> with_instances(const DirectoryRef& directory, const PoolPlacement& placement,
                                    const std::vector<ObservedInstance>& observed,
                                    std::span<const InstanceId> draining = {});

// Keeps a pool of the directory what the provider's group is, as long as it lives.
class InstancePublisher {
 public:
  InstancePublisher(Provider& provider, DirectoryFeed& directory, PoolPlacement placement);

  // Who is to get no new request from now on, besides those that do not run.
  void set_draining(std::vector<InstanceId> draining);

 private:
  void publish();

  Provider& provider_;
  DirectoryFeed& directory_;
  PoolPlacement placement_;
  std::mutex mutex_;  // of draining_
  std::vector<InstanceId> draining_;
  std::shared_ptr<void> watch_;  // last: ends first
};

}  // namespace partywall::fleet
