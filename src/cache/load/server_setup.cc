#include "cache/load/server_setup.h"

#include <fmt/format.h>

#include "cache/load/slow_log_reader.h"
#include "tenancy/limits.h"

namespace partywall::cache {

static_assert(kBusyReplyThreshold <= kLeastCacheScriptTime);

std::vector<std::pair<std::string, std::string>> sharing_settings() {
  const auto busy = std::chrono::duration_cast<milliseconds>(kBusyReplyThreshold).count();
  const auto slow = std::chrono::duration_cast<microseconds>(kCountedTime).count();
  return {{"busy-reply-threshold", fmt::to_string(busy)},
          {"slowlog-log-slower-than", fmt::to_string(slow)},
          {"slowlog-max-len", fmt::to_string(SlowLogReader::kKept)},
          {"lazyfree-lazy-user-del", "yes"},
          {"lazyfree-lazy-server-del", "yes"},
          {"lazyfree-lazy-expire", "yes"},
          {"lazyfree-lazy-eviction", "yes"}};
}

}  // namespace partywall::cache
