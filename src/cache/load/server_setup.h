#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace partywall::cache {

// From so much of a script or function on Redis looks around, and can be asked to end it. Others
// are told BUSY from then on, and no tenant's limit can be shorter.
inline constexpr Duration kBusyReplyThreshold = milliseconds(100);
// Commands that take less are not in Redis's slow log, and are bounded by cache_rate alone.
inline constexpr Duration kCountedTime = microseconds(100);

// Settings of a Redis that tenants share, so that none of them keeps it busy for long: CONFIG SET.
// Big values go in the background, whoever removes them.
std::vector<std::pair<std::string, std::string>> sharing_settings();

}  // namespace partywall::cache
