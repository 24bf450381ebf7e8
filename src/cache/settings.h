#pragma once

#include <optional>

#include "base/endpoint.h"
#include "base/time.h"
#include "cache/session_host.h"
#include "cache/tenant_upstreams.h"
#include "net/tls.h"

namespace partywall::cache {

struct DoorSettings {
  Endpoint listen{"127.0.0.1", 6380};
  std::optional<net::TlsServerSettings> tls;
  SessionLimits sessions;
  UpstreamLimits upstreams;
  uint32_t max_connections = 10'000;        // of clients, per worker
  uint32_t max_tenant_connections = 2'500;  // of one tenant's clients, of all workers
  Duration login_timeout =
      seconds(10);  // from accepting to AUTH, and from the end of a login to the next
  Duration idle_timeout = minutes(10);         // without a request, and with nothing to wait for
  Duration slow_reader_timeout = seconds(10);  // without a byte taken of what waits for the client
  Duration linger_timeout = seconds(5);        // for answers after the client has closed its side
  Duration connect_timeout = seconds(2);       // to Redis, and the same again for logging in there
};

}  // namespace partywall::cache
