#include "tenancy/cache_address.h"

#include <algorithm>

namespace partywall {

const Cell* cell_with_cache_at(std::span<const Cell> cells, const Endpoint& address) {
  const auto is_there = [&address](const CacheInstance& instance) {
    return std::ranges::find(instance.endpoints, address) != instance.endpoints.end();
  };
  const auto found = std::ranges::find_if(cells, [&is_there](const Cell& cell) {
    return std::ranges::any_of(cell.cache.instances, is_there);
  });
  return found == cells.end() ? nullptr : &*found;
}

}  // namespace partywall
