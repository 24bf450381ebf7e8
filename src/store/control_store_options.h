#pragma once

#include <optional>
#include <string>

#include "base/secret.h"
#include "base/time.h"
#include "engines/postgres.h"
#include "store/control/control_store.h"

namespace partywall::store {

// How a process finds the control store, what it does while that is down, and how it hands over
// what tenants use: the sections `control_store`, `directory` and `usage` of its platform file.
struct ControlStoreOptions {
  postgres::ConnectionSettings connection;
  Secret node_key;
  std::string node_name;
  std::string snapshot_file;              // such that the process can open it; empty: none
  std::optional<Duration> max_staleness;  // none: the last directory is served however old it is
  std::string usage_spool;                // folder; empty: what is not sent waits in memory
  Duration usage_interval = seconds(10);
  Duration usage_keep = hours(24);
};

// What an instance is called that is not told.
[[nodiscard]] std::string host_name();

// Fails for a node key that is none.
Result<ControlStoreSettings> to_settings(const ControlStoreOptions& options);

}  // namespace partywall::store
