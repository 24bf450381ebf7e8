#pragma once

#include <memory>

#include "base/endpoint.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "fleet/loop/fleet_loop.h"
#include "store/control/follower_status.h"
#include "store/node_settings.h"
#include "store/usage/usage_reporter.h"
#include "tenancy/directory_feed.h"

namespace partywall::daemon {

// Where the doors of the node listen, with the ports that the kernel chose; a door that does not
// run has an empty address.
struct NodeEndpoints {
  Endpoint http;
  Endpoint sql;
  Endpoint cache;
  Endpoint admin;
};

// Who starts and ends the application instances of this node.
struct FleetParts {
  fleet::Provider* provider = nullptr;  // nullptr: nobody; outlives the node
  Secret operator_token;                // of those who may scale and pause, at the admin port
};

// One node: worker threads and the doors that the settings name, on one directory. The same for
// `partywall serve` and `partywall up`.
class NodeServer {
 public:
  // Everything listens when it returns, or nothing does. `time`, `random` and `source` (where the
  // directory comes from, if that is a control store) outlive the node.
  static Result<std::unique_ptr<NodeServer>> start(const store::NodeSettings& settings,
                                                   DirectoryRef directory, const TimeSource& time,
                                                   Random& random,
                                                   const store::DirectorySource* source = nullptr,
                                                   FleetParts fleet = {});
  ~NodeServer();

  [[nodiscard]] NodeEndpoints endpoints() const;
  // Publish here what the doors are to serve.
  [[nodiscard]] DirectoryFeed& directory();

  // nullptr: the node has no provider, or no http door, which measures what the instances do.
  [[nodiscard]] fleet::FleetLoop* fleet();

  // From now on hands what tenants use to the control store.
  Result<> report_usage(store::UsageReporterSettings settings);

  // Stops accepting, lets sessions finish for up to the settings' drain time-out, closes the rest.
  void drain();

 private:
  struct Impl;
  explicit NodeServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::daemon
