#pragma once

#include <array>
#include <cstdint>

#include "fleet/simulate/model.h"

namespace partywall::fleet {

// Latencies of many requests in logarithmic buckets of 5 %, from 0.1 ms to an hour.
class LatencyHistogram {
 public:
  void add(double seconds, double requests);
  // Upper bound of the bucket that holds this share of the requests; 0 without any.
  [[nodiscard]] double quantile(double share) const;
  [[nodiscard]] double total() const { return total_; }

 private:
  static constexpr size_t kBuckets = 360;
  std::array<double, kBuckets> buckets_{};
  double total_ = 0;
};

// How long requests take in a pool of `slots` that is used to `utilisation`, with a backlog of
// `backlog_seconds` before a request that comes now. Waiting below saturation is Sakasegawa's
// approximation for M/M/c (1977): near enough to tell policies apart, at a cost that does not grow
// with the number of slots.
class LatencyModel {
 public:
  explicit LatencyModel(const ServiceModel& service);

  void add(double slots, double utilisation, double backlog_seconds, double requests,
           LatencyHistogram& into) const;
  // 95th percentile, as a latency alarm sees it.
  [[nodiscard]] double p95(double backlog_seconds) const { return backlog_seconds + service_p95_; }

 private:
  static constexpr size_t kPoints = 16;
  double mean_service_;
  double service_p95_;
  std::array<double, kPoints> service_{};  // equally likely service times
  std::array<double, kPoints> waiting_{};  // equally likely waits, mean 1, in another order
};

}  // namespace partywall::fleet
