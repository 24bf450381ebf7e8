#pragma once

#include <memory>

#include "base/endpoint.h"
#include "base/result.h"
#include "cluster/node.h"
#include "cluster/pool_load.h"
#include "http/door/settings.h"

namespace partywall::http {

// The http door of a node: accepts clients on every worker, knows each request's tenant, holds it
// to its limits, and passes it on to the application instances of the tenant's cell.
class Door {
 public:
  // Serves once it returns. The node must outlive the door.
  static Result<std::unique_ptr<Door>> start(DoorSettings settings, Node& node);
  // Stops what is still running, at once.
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // Where it listens, with the real port.
  [[nodiscard]] Endpoint endpoint() const;

  // How loaded the pools are.
  [[nodiscard]] PoolLoadSource& loads();

  // Stops accepting and lets requests that have begun end; what has not ended after `timeout` is
  // closed. Blocks; not from a worker.
  void drain(Duration timeout);

 private:
  struct Impl;
  explicit Door(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace partywall::http
