#pragma once

#include <string_view>

#include "base/result.h"
#include "tenancy/limits.h"

// The words for CacheScripts.
namespace partywall {

std::string_view to_string(CacheScripts scripts);
Result<CacheScripts> parse_cache_scripts(std::string_view text);

}  // namespace partywall
