#include "fleet/scaling/decayed_histogram.h"

#include <algorithm>
#include <cmath>

namespace partywall::fleet {

void DecayedHistogram::add(double log_ratio) {
  const double position = std::clamp((log_ratio - kLeast) / kWidth, 0.0, kBuckets - 1.0);
  weight_ *= growth_;
  buckets_[static_cast<size_t>(position)] += weight_;
  total_ += weight_;
  constexpr double kTooLarge = 1e100;
  if (weight_ > kTooLarge) {
    for (double& bucket : buckets_) bucket /= weight_;
    total_ /= weight_;
    weight_ = 1;
  }
}

double DecayedHistogram::quantile(double share) const {
  if (total_ <= 0) return 0;
  double seen = 0;
  size_t bucket = 0;
  for (; bucket + 1 < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= share * total_) break;
  }
  return kLeast + kWidth * static_cast<double>(bucket + 1);
}

}  // namespace partywall::fleet
