#pragma once

#include <memory>
#include <optional>

#include "base/endpoint.h"
#include "base/tls_settings.h"
#include "cache/upstream_io.h"

namespace partywall::cache {

// Opens connections: the door's shell, or a test. It keeps the upstream alive until it has called
// lost() on it.
class UpstreamNetwork {
 public:
  virtual ~UpstreamNetwork() = default;
  // `tls`: nothing where the server is spoken to plainly.
  virtual void open(std::shared_ptr<UpstreamIo> upstream, const Endpoint& endpoint,
                    const std::optional<TlsClientSettings>& tls) = 0;
};

}  // namespace partywall::cache
