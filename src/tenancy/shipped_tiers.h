#pragma once

#include <vector>

#include "tenancy/tenant.h"

namespace partywall {

// free, pro and enterprise, used where a platform file does not define tiers of its own.
std::vector<Tier> shipped_tiers();

}  // namespace partywall
