#include "fleet/simulate/latency_model.h"

#include <algorithm>
#include <cmath>

namespace partywall::fleet {
namespace {

constexpr double kFirstBucket = 1e-4;
constexpr double kGrowth = 1.05;

// Quantile of the standard normal distribution, by bisection of std::erfc: made a few times only.
double normal_quantile(double share) {
  double low = -10;
  double high = 10;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

void LatencyHistogram::add(double seconds, double requests) {
  const double position =
      seconds <= kFirstBucket ? 0 : std::ceil(std::log(seconds / kFirstBucket) / std::log(kGrowth));
  const auto bucket = static_cast<size_t>(std::min(position, double{kBuckets - 1}));
  buckets_[bucket] += requests;
  total_ += requests;
}

double LatencyHistogram::quantile(double share) const {
  if (total_ <= 0) return 0;
  double seen = 0;
  size_t bucket = 0;
  for (; bucket + 1 < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= share * total_) break;
  }
  return kFirstBucket * std::pow(kGrowth, static_cast<double>(bucket));
}

LatencyModel::LatencyModel(const ServiceModel& service)
    : mean_service_(std::chrono::duration<double>(service.service_time).count()) {
  const double spread = service.service_spread;
  const double median = mean_service_ * std::exp(-spread * spread / 2);
  const auto time_at = [&](double share) {
    return median * std::exp(spread * normal_quantile(share));
  };
  service_p95_ = time_at(0.95);
  for (size_t i = 0; i < kPoints; ++i) {
    service_[i] = time_at((static_cast<double>(i) + 0.5) / kPoints);
    // 7 is prime to kPoints: each wait meets another service time, without a pattern.
    const auto other = static_cast<double>((i * 7 + 3) % kPoints);
    waiting_[i] = -std::log(1 - (other + 0.5) / kPoints);
  }
}

void LatencyModel::add(double slots, double utilisation, double backlog_seconds, double requests,
                       LatencyHistogram& into) const {
  if (requests <= 0) return;
  const double busy = std::min(utilisation, 0.999);
  const double free_slots = std::max(slots, 1.0) * (1 - busy);
  const double waits =
      backlog_seconds > 0 ? 1.0 : std::pow(busy, std::sqrt(2 * (std::max(slots, 1.0) + 1)) - 1);
  const double mean_wait = mean_service_ / free_slots;
  for (size_t i = 0; i < kPoints; ++i) {
    const double share = requests / kPoints;
    if (waits > 1e-6) {
      into.add(service_[i] + backlog_seconds + mean_wait * waiting_[i], share * waits);
    }
    if (waits < 1) into.add(service_[i], share * (1 - waits));
  }
}

}  // namespace partywall::fleet
