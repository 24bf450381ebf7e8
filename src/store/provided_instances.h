#pragma once

#include <vector>

#include "tenancy/directory.h"

namespace partywall::store {

// The instances that providers found for the pools that are theirs: no file and no store knows
// them, so a new directory gets those of the one before.
void keep_provided_instances(const Directory& current, std::vector<Cell>& cells);

}  // namespace partywall::store
