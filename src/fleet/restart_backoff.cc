#include "fleet/restart_backoff.h"

#include "base/backoff.h"

namespace partywall::fleet {

Duration RestartBackoff::after_exit(Duration ran) {
  if (ran >= settings_.stable_after) early_exits_ = 0;
  if (early_exits_ < UINT32_MAX) ++early_exits_;
  return backoff_pause({.first = settings_.first, .longest = settings_.longest}, early_exits_);
}

}  // namespace partywall::fleet
