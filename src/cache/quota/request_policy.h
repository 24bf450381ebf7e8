#pragma once

#include "cache/commands/command_rule.h"
#include "cache/resp/request_parser.h"
#include "tenancy/limits.h"

namespace partywall::cache {

// What happens at the quota to the request: it is refused where one of the keys that it makes, or
// may make, is of a space that refuses. `arguments_there` of its arguments have arrived.
CacheAtQuota at_quota_of(const Limits& limits, const Request& request, const CommandRule& rule,
                         uint32_t arguments_there);

// The limits as they are for a request of which that is known. What they said for keys of no space
// is a space of all keys now.
Limits judged(const Limits& limits, CacheAtQuota at_quota);

}  // namespace partywall::cache
