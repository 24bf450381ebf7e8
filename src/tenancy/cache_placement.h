#pragma once

#include <string_view>

#include "base/result.h"
#include "tenancy/tenant.h"

// The words for CachePlacement.
namespace partywall {

std::string_view to_string(CachePlacement placement);
Result<CachePlacement> parse_cache_placement(std::string_view text);

}  // namespace partywall
