#pragma once

#include <memory>
#include <string>

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
// it has already. Whether they are healthy is not asked: the doors check that themselves.
Result<DirectoryRef> with_instances(const DirectoryRef& directory, const PoolPlacement& placement,
                                    const std::vector<ObservedInstance>& observed);

// Keeps a pool of the directory what the provider's group is, as long as it lives.
class InstancePublisher {
 public:
  InstancePublisher(Provider& provider, DirectoryFeed& directory, PoolPlacement placement);

 private:
  void publish();

  Provider& provider_;
  DirectoryFeed& directory_;
  PoolPlacement placement_;
  std::shared_ptr<void> watch_;  // last: ends first
};

}  // namespace partywall::fleet
