#pragma once

#include <array>
#include <cstddef>

namespace partywall::fleet {

// Shares of recent values of a logarithm of ratios, in [-2, 4): old values fade away
// exponentially. Quantiles are exact to a bucket, 2 %.
class DecayedHistogram {
 public:
  // `memory`: after so many values an old one counts 1/e.
  explicit DecayedHistogram(double memory) : growth_(1.0 + 1.0 / memory) {}

  void add(double log_ratio);
  // Upper end of the bucket in which this share of the values is reached; 0 without values.
  [[nodiscard]] double quantile(double share) const;
  [[nodiscard]] double count() const { return total_ / weight_; }  // of values that still count

 private:
  static constexpr double kLeast = -2;
  static constexpr double kWidth = 0.02;
  static constexpr size_t kBuckets = 300;

  double growth_;
  double weight_ = 1;  // of the next value: growing weights are the same as fading ones
  double total_ = 0;
  std::array<double, kBuckets> buckets_{};
};

}  // namespace partywall::fleet
