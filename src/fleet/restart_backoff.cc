#include "fleet/restart_backoff.h"

#include <algorithm>

namespace partywall::fleet {

Duration RestartBackoff::after_exit(Duration ran) {
  constexpr uint32_t kMaxDoublings = 20;
  if (ran >= settings_.stable_after) early_exits_ = 0;
  const uint32_t doublings = std::min(early_exits_, kMaxDoublings);
  if (early_exits_ < UINT32_MAX) ++early_exits_;
  return std::min(settings_.longest, settings_.first * (int64_t{1} << doublings));
}

}  // namespace partywall::fleet
