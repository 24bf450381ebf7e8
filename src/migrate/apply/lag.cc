#include "migrate/apply/lag.h"

#include <algorithm>

namespace partywall::migrate {

void LagMeter::saw_source_time(ServerTime sent_at, ServerTime now) {
  const int64_t difference = now.microseconds - sent_at.microseconds;
  difference_us_ = has_difference_ ? std::min(difference_us_, difference) : difference;
  has_difference_ = true;
}

void LagMeter::applied(ServerTime committed_at, ServerTime now) {
  ++transactions_;
  if (samples_us_.size() >= kMaxSamples) return;
  const int64_t by_source = now.microseconds - difference_us_;
  samples_us_.push_back(std::max<int64_t>(0, by_source - committed_at.microseconds));
}

LagSummary LagMeter::take_summary() {
  LagSummary summary{.transactions = transactions_};
  if (!samples_us_.empty()) {
    std::ranges::sort(samples_us_);
    summary.p50_us = samples_us_[samples_us_.size() / 2];
    summary.p99_us = samples_us_[samples_us_.size() * 99 / 100];
    summary.max_us = samples_us_.back();
  }
  transactions_ = 0;
  samples_us_.clear();
  return summary;
}

}  // namespace partywall::migrate
