#include "tenancy/cell.h"

#include <algorithm>

namespace partywall {

const Pool* Cell::find_pool(std::string_view pool_name) const {
  const auto found = std::ranges::find(pools, pool_name, &Pool::name);
  return found == pools.end() ? nullptr : &*found;
}

}  // namespace partywall
