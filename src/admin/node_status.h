#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "admin/router.h"
#include "base/metrics.h"
#include "base/time.h"
#include "policy/shared_limits.h"
#include "store/control/follower_status.h"
#include "tenancy/directory_feed.h"

namespace partywall::admin {

struct DoorStatus {
  std::string name;      // http, sql, cache
  std::string endpoint;  // where it listens
};

// Says whether this node should get traffic, and which directory it serves.
class NodeStatus final : public MetricSource {
 public:
  // `source`: where the directory comes from, if that is a control store.
  NodeStatus(DirectoryFeed& feed, const TimeSource& time, std::vector<DoorStatus> doors,
             const store::DirectorySource* source = nullptr);

  // Where the node shares its limits with others. Before anybody asks.
  void set_limits(const SharedLimits& limits) { limits_ = &limits; }

  // From now on the node is not ready: load balancers take it out while its doors finish.
  void start_draining() { draining_.store(true, std::memory_order_relaxed); }

  // 200 or 503 with the reasons: GET /readyz.
  [[nodiscard]] Response readiness() const;
  void write_metrics(MetricWriter& writer) const override;

 private:
  [[nodiscard]] Duration directory_age() const;

  DirectoryFeed& feed_;
  const TimeSource& time_;
  std::vector<DoorStatus> doors_;
  const store::DirectorySource* source_;
  std::atomic<bool> draining_{false};
  std::atomic<int64_t> directory_since_ns_{0};  // monotonic
  const SharedLimits* limits_ = nullptr;
  DirectoryFeed::Subscription subscription_;
};

// GET /metrics, /healthz and /readyz.
void add_node_handlers(Router& router, const MetricRegistry& metrics, const NodeStatus& status);

}  // namespace partywall::admin
