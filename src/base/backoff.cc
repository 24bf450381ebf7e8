#include "base/backoff.h"

#include <algorithm>

namespace partywall {

Duration backoff_pause(const BackoffSettings& settings, uint32_t failures) {
  constexpr uint32_t kMaxDoublings = 20;
  if (failures == 0) return Duration(0);
  const uint32_t doublings = std::min(failures - 1, kMaxDoublings);
  return std::min(settings.longest, settings.first * (int64_t{1} << doublings));
}

Duration spread_backoff_pause(const BackoffSettings& settings, uint32_t failures, Random& random) {
  const Duration pause = backoff_pause(settings, failures);
  return pause - Duration(random.below(static_cast<uint64_t>(pause.count() / 2) + 1));
}

void Backoff::failed(MonotonicTime began) {
  if (failures_ < UINT32_MAX) ++failures_;
  retry_at_ = began + backoff_pause(settings_, failures_);
}

}  // namespace partywall
