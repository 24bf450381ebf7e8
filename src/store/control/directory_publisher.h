#pragma once

#include "store/control/directory_image.h"
#include "tenancy/directory_feed.h"

namespace partywall::store {

enum class Service : uint8_t {
  kOpen,
  kClosed,  // the directory is older than allowed: every tenant is treated as suspended
};

// Makes directories of images, over the life of a process: tenants keep their numbers, and versions
// only grow. A directory has the store's version where that is possible, and a higher one after
// something else in this process (a provider's instances) has changed it.
class DirectoryPublisher {
 public:
  Result<DirectoryRef> first(const DirectoryImage& image, Service service);
  Result<> publish(const DirectoryImage& image, Service service, DirectoryFeed& feed);

 private:
  Result<DirectoryRef> build(DirectoryData data, Service service, uint64_t version);

  TenantNumbers numbers_;
};

}  // namespace partywall::store
