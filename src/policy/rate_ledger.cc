#include "policy/rate_ledger.h"

#include <algorithm>
#include <cmath>

namespace partywall {
namespace {

// A debt that is further ahead comes from an earlier, slower limit. So much is left alone, because
// an epoch may begin a little after the first call that tells of it.
constexpr int64_t kSlackUs = 1'000'000;

// The script counts in doubles, so the model does: both round alike.
int64_t time_of(int64_t tokens, double interval_us) {
  return static_cast<int64_t>(std::ceil(static_cast<double>(tokens) * interval_us));
}

}  // namespace

int64_t RateLedger::lent() const {
  int64_t sum = 0;
  for (const Loan& loan : loans_) sum += loan.held;
  return sum;
}

// Lent tokens leave no room for others until they are accounted for or void.
void RateLedger::expire(double interval_us, int64_t now_us) {
  int64_t last_end = 0;
  for (const Loan& loan : loans_) {
    if (loan.until_us <= now_us) last_end = std::max(last_end, loan.until_us);
  }
  if (last_end > 0) arrival_us_ = std::max(arrival_us_, last_end + time_of(lent(), interval_us));
  std::erase_if(loans_, [now_us](const Loan& loan) { return loan.until_us <= now_us; });
}

RateLedger::Answer RateLedger::call(const RateLimit& limit, const Call& call, int64_t now_us) {
  auto own = std::ranges::find(loans_, call.node, &Loan::node);
  if (own != loans_.end() && own->sequence >= call.sequence) return {};
  const double interval_us =
      static_cast<double>(limit.period.count()) / 1'000.0 / static_cast<double>(limit.tokens);
  const int64_t tolerance_us = time_of(limit.burst, interval_us);
  if (arrival_us_ == 0) arrival_us_ = now_us;
  if (arrival_us_ > now_us + tolerance_us + kSlackUs) arrival_us_ = now_us + tolerance_us;
  if (call.epoch_us > epoch_us_) {
    arrival_us_ = std::max(arrival_us_, call.epoch_us + tolerance_us);
    epoch_us_ = call.epoch_us;
  }
  expire(interval_us, now_us);
  arrival_us_ = std::max(arrival_us_, now_us + time_of(lent(), interval_us));

  own = std::ranges::find(loans_, call.node, &Loan::node);
  if (own == loans_.end()) {
    // Normally it holds nothing then. What it gives back too late is gone: it was void already.
    loans_.push_back({.node = call.node, .held = call.held});
    own = loans_.end() - 1;
    arrival_us_ = std::max(arrival_us_, now_us + time_of(lent(), interval_us));
  }
  const int64_t held = std::min(call.held, own->held);
  const int64_t returned = std::min(call.returned, own->held - held);
  own->held = held;
  own->sequence = call.sequence;
  arrival_us_ -=
      static_cast<int64_t>(std::floor(static_cast<double>(returned + call.deposit) * interval_us));
  arrival_us_ = std::max(arrival_us_, now_us + time_of(lent(), interval_us));

  const auto available = static_cast<int64_t>(
      std::floor(static_cast<double>(now_us + tolerance_us - arrival_us_) / interval_us));
  const int64_t granted = std::clamp<int64_t>(available, 0, call.wanted);
  arrival_us_ += time_of(granted, interval_us);
  own->held += granted;
  own->until_us = now_us + call.lent_for_us;
  const int64_t next_us = arrival_us_ + time_of(1, interval_us) - tolerance_us;
  return {.granted = granted,
          .remaining = std::max<int64_t>(available - granted, 0),
          .wait_us = std::max<int64_t>(next_us - now_us, 0),
          .reset_us = arrival_us_ - now_us};
}

}  // namespace partywall
