#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "cache/settings.h"
#include "cache/tenant_use.h"
#include "cluster/node.h"
#include "policy/usage.h"

namespace partywall::cache {

// The cache door: a Redis to each tenant, on the shared Redis of its cell. docs/cache-door.md is
// for its users.
class Door final : public MetricSource, public UsageSource {
 public:
  // Listens when it returns. `node` must outlive the door.
  static Result<std::unique_ptr<Door>> start(DoorSettings settings, Node& node);
  ~Door() override;
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // With the port the kernel chose, where 0 was asked for.
  [[nodiscard]] Endpoint endpoint() const;
  // Stops accepting, lets transactions and outstanding answers finish for that long, closes the
  // rest. Blocks; not from a worker.
  void drain(Duration timeout);

  // Nothing where the directory has no such tenant (slug or id). From any thread.
  [[nodiscard]] std::optional<TenantUse> use_of(std::string_view name) const;

  void write_metrics(MetricWriter& writer) const override;
  void add_usage(TenantNumber tenant, UsageCounts& counts) const override;

 private:
  struct Impl;
  explicit Door(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::cache
