#include "http/upstream/health_tracker.h"

namespace partywall::http {

Health HealthTracker::record_success() {
  failures_ = 0;
  if (successes_ < rise_) ++successes_;
  if (successes_ == rise_) health_ = Health::kUp;
  return health_;
}

Health HealthTracker::record_failure() {
  successes_ = 0;
  if (failures_ < fall_) ++failures_;
  if (failures_ == fall_) health_ = Health::kDown;
  return health_;
}

}  // namespace partywall::http
