#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/endpoint.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "base/tls_settings.h"
#include "cluster/limit_login.h"
#include "net/loop.h"
#include "policy/limit_desk.h"

namespace partywall {

struct LimitStoreSettings {
  Endpoint endpoint;
  std::optional<TlsClientSettings> tls;
  LimitLogin login;
  std::string node;             // its name, in the list of nodes
  uint32_t expected_nodes = 1;  // that share the limits until the store has said
  Duration connect_timeout = seconds(2);
};

// The agent of the limits store (a Redis that only nodes can reach): one thread and one connection
// for the whole node, so that no worker ever waits for it. Workers ask through desks.
class LimitStore final : public MetricSource {
 public:
  // Waits shortly for the store; if it is not there the node begins with its shares. All arguments
  // outlive the store.
  static Result<std::unique_ptr<LimitStore>> start(LimitStoreSettings settings,
                                                   TenantStates& tenants, const TimeSource& time,
                                                   Random& random);
  ~LimitStore() override;

  // A desk for what runs on this loop, which outlives the desk. Ends with its last owner, who must
  // be done before the store ends.
  std::shared_ptr<LimitDesk> open_desk(net::Loop& loop);

  // Nodes that are alive, this one included; while the store is away, as many as there were.
  [[nodiscard]] const SharedLimits& shared() const;
  void write_metrics(MetricWriter& writer) const override;

 private:
  struct Impl;
  explicit LimitStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// For a node that may have no limits store, and is alone then.
std::shared_ptr<LimitDesk> open_desk(LimitStore* store, TenantStates& tenants, net::Loop& loop);

}  // namespace partywall
