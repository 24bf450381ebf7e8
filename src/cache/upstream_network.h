#pragma once

#include <memory>

#include "base/endpoint.h"
#include "cache/upstream_io.h"

namespace partywall::cache {

// Opens connections: the door's shell, or a test. It keeps the upstream alive until it has called
// lost() on it.
class UpstreamNetwork {
 public:
  virtual ~UpstreamNetwork() = default;
  virtual void open(std::shared_ptr<UpstreamIo> upstream, const Endpoint& endpoint) = 0;
};

}  // namespace partywall::cache
