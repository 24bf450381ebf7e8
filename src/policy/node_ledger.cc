#include "policy/node_ledger.h"

#include <algorithm>

namespace partywall {

NodeLedger::Answer NodeLedger::call(const Call& call, int64_t now_us) {
  const auto is_old = [now_us](const auto& item) { return item.second <= now_us - kAliveForUs; };
  seen_us_[call.node] = now_us;
  std::erase_if(seen_us_, is_old);
  std::erase_if(served_us_, is_old);
  if (call.state == State::kServed) {
    served_us_[call.node] = now_us;
  } else {
    served_us_.erase(call.node);
  }
  const bool others_are_served = std::ranges::any_of(
      served_us_, [now_us](const auto& item) { return item.second > now_us - kServedWithinUs; });
  const bool decided = epoch_us_ > 0 && decided_us_ >= now_us - call.away_us;
  if (call.state == State::kDeciding && !others_are_served && !decided) {
    decided_us_ = now_us;
    epoch_us_ = now_us + kEpochAfterUs;
  }
  return {.now_us = now_us, .live = static_cast<int64_t>(seen_us_.size()), .epoch_us = epoch_us_};
}

}  // namespace partywall
