#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace partywall::migrate {

// The objects so that each comes after those that it uses, otherwise as they were. Fails if some
// use each other in a circle, and names them.
Result<std::vector<std::string>> ordered_by_use(
    const std::vector<std::string>& objects,
    const std::set<std::pair<std::string, std::string>>& uses);

}  // namespace partywall::migrate
