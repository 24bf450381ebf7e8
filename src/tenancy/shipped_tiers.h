#pragma once

#include <vector>

#include "tenancy/tenant.h"

namespace partywall {

// free, pro and enterprise: what there is before a platform file changes them or adds its own.
std::vector<Tier> shipped_tiers();

}  // namespace partywall
