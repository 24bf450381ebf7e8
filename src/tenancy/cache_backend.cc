#include "tenancy/cache_backend.h"

#include <algorithm>

namespace partywall {

const CacheInstance* CacheBackend::find_instance(std::string_view name) const {
  if (name.empty()) return instances.empty() ? nullptr : &instances.front();
  const auto found = std::ranges::find(instances, name, &CacheInstance::name);
  return found == instances.end() ? nullptr : &*found;
}

}  // namespace partywall
