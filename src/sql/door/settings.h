#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"
#include "net/tls.h"
#include "sql/client/client_fsm.h"
#include "sql/client/client_login_fsm.h"
#include "sql/pool/cell_pool.h"

namespace partywall::sql {

// How long what a client asks for may take before it is logged as slow; max(): nothing is.
struct SlowThresholds {
  Duration of_most = Duration::max();
  std::unordered_map<std::string, Duration> by_tier;

  [[nodiscard]] Duration of(const std::string& tier) const {
    const auto found = by_tier.find(tier);
    return found == by_tier.end() ? of_most : found->second;
  }
};

struct DoorSettings {
  Endpoint listen{"127.0.0.1", 6432};
  std::optional<net::TlsServerSettings> tls;
  bool require_tls = false;  // of TCP clients
  WithoutTenant without_tenant = WithoutTenant::kRefuse;
  ClientLimits clients;
  PoolSettings pool;
  uint32_t max_clients = 10'000;         // connections, per worker
  uint32_t max_tenant_clients = 2'500;   // bound to one tenant, of all workers
  uint32_t max_migration_sessions = 10;  // each has a server connection of its own; per worker
  std::vector<ConsoleLogin> console;     // operators of this node
  uint32_t max_console_sessions = 10;    // per worker
  SlowThresholds slow;
  size_t max_unsent_bytes = 256 * 1024;  // to one client or server; then its peer is not read
  Duration login_timeout = seconds(10);  // from accepting to the first ReadyForQuery
  Duration queue_timeout = seconds(10);  // for a server connection
  Duration idle_in_transaction_timeout = minutes(1);  // with a server connection
  // Of a tenant: from its first statement on a server connection, whatever is said in it. Where the
  // tier's statement time-out is longer, that.
  Duration transaction_timeout = minutes(5);
  Duration cancel_grace =
      seconds(5);  // from the cancel of a statement until its connection is closed
  Duration cancel_spacing = milliseconds(50);  // between two cancels that one client has forwarded
  Duration linger_timeout = seconds(5);        // for the last words to a client that reads slowly
};

}  // namespace partywall::sql
