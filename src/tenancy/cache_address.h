#pragma once

#include <span>

#include "base/endpoint.h"
#include "tenancy/cell.h"

namespace partywall {

// The cell one of whose caches is said to be at this address; nullptr: none. Tenants reach those,
// so nothing that is not for tenants may be there.
[[nodiscard]] const Cell* cell_with_cache_at(std::span<const Cell> cells, const Endpoint& address);

}  // namespace partywall
