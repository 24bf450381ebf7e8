#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "http/proxy/problem.h"
#include "http/upstream/instance_health.h"
#include "policy/meters.h"
#include "policy/usage.h"
#include "tenancy/directory_feed.h"

namespace partywall::http {

// What is counted for each tenant.
enum class HttpMeter : uint8_t {
  kRequests,
  kServerErrors,  // answered with 5xx, by the application or the door
  kThrottled,     // answered with 429 by the door
  kRefused,       // answered with another 4xx by the door
  kReceivedBytes,
  kSentBytes,
  kQueued,  // waited for their turn
  kQueueMilliseconds,
  kSlow,  // took longer than the tier's threshold
  kCount,
};

// What is counted for a worker as a whole.
enum class DoorCounter : uint8_t {
  kConnections,
  kConnectionsRefused,  // above the limit
  kConnectionsClosed,
  kUpstreamConnections,
  kUpstreamReused,
  kUpstreamFailures,
  kUpstreamRetries,
  kUpstreamRetriesRefused,
  kInstancesTakenOut,
  kClientAborts,
  kCount,
};

// The counters of one worker: it adds, any thread may read.
class WorkerMetrics {
 public:
  Meters<HttpMeter> tenants;

  void count(DoorCounter counter, uint64_t amount = 1) {
    counters_[std::to_underlying(counter)].add(amount);
  }
  void count(Problem problem) { problems_[std::to_underlying(problem)].add(); }
  [[nodiscard]] uint64_t value(DoorCounter counter) const {
    return counters_[std::to_underlying(counter)].value();
  }
  [[nodiscard]] uint64_t value(Problem problem) const {
    return problems_[std::to_underlying(problem)].value();
  }

  // Requests by duration, of one tier; "" for those without a tenant. The reference stays valid.
  Histogram& durations(std::string_view tier);
  // Adds every tier's histogram to that in `sums`.
  void add_durations(std::map<std::string, Histogram, std::less<>>& sums) const;

 private:
  std::array<Counter, std::to_underlying(DoorCounter::kCount)> counters_;
  std::array<Counter, std::to_underlying(Problem::kCount)> problems_;
  mutable std::mutex durations_mutex_;  // of the map, not of the histograms
  std::map<std::string, std::unique_ptr<Histogram>, std::less<>> durations_;
};

// What the door counted: the sums over its workers, as metrics for the tenants of the current
// directory, and as usage.
class DoorMetrics final : public MetricSource, public UsageSource {
 public:
  DoorMetrics(const DirectoryFeed& directory, const HealthRegistry& health)
      : directory_(directory), health_(health) {}

  // Before anybody reads.
  void add(const WorkerMetrics& worker) { workers_.push_back(&worker); }
  void write_metrics(MetricWriter& writer) const override;
  void add_usage(TenantNumber tenant, UsageCounts& counts) const override;

 private:
  [[nodiscard]] uint64_t sum_of(TenantNumber tenant, HttpMeter meter) const;
  void write_tenants(MetricWriter& writer) const;
  void write_workers(MetricWriter& writer) const;
  void write_instances(MetricWriter& writer) const;

  const DirectoryFeed& directory_;
  const HealthRegistry& health_;
  std::vector<const WorkerMetrics*> workers_;
};

}  // namespace partywall::http
