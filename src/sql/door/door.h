#pragma once

#include <memory>

#include "base/metrics.h"
#include "base/result.h"
#include "cluster/node.h"
#include "policy/usage.h"
#include "sql/door/settings.h"

namespace partywall::sql {

// The sql door: PostgreSQL for each tenant, on the shared database of its cell. docs/sql-door.md is
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
  // Stops accepting, lets transactions finish for that long, closes the rest. Blocks; not from a
  // worker.
  void drain(Duration timeout);

  void write_metrics(MetricWriter& writer) const override;
  void add_usage(TenantNumber tenant, UsageCounts& counts) const override;

 private:
  struct Impl;
  explicit Door(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::sql
