#pragma once

#include <optional>
#include <string>

#include "base/secret.h"
#include "base/time.h"
#include "engines/postgres.h"
#include "store/control/control_store.h"

namespace partywall::store {

// How a process finds the control store, and what it does while that is down: the sections
// `control_store` and `directory` of its platform file.
struct ControlStoreOptions {
  postgres::ConnectionSettings connection;
  Secret node_key;
  std::string node_name;
  std::string snapshot_file;              // such that the process can open it; empty: none
  std::optional<Duration> max_staleness;  // none: the last directory is served however old it is
};

// What an instance is called that is not told.
[[nodiscard]] std::string host_name();

// Fails for a node key that is none.
Result<ControlStoreSettings> to_settings(const ControlStoreOptions& options);

}  // namespace partywall::store
