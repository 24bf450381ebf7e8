#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/node_settings.h"

// Every connection is an open file, and who uses up the process's open files takes it from all
// tenants and from the operator: so the doors take no more clients than there are files for.
namespace partywall::daemon {

// Raises the process's limit to what the system allows it (RLIMIT_NOFILE, soft to hard); what it is
// then.
uint64_t raise_open_file_limit();

// Lowers the doors' max_connections until they fit: each client may need a connection to an
// instance or a server too, and an eighth of the limit is kept for everything else (the admin port,
// logs, the control store). No tenant may then take more than a quarter of a door's connections.
// What was lowered, for the log.
std::vector<std::string> fit_to_open_files(store::NodeSettings& settings, unsigned workers,
                                           uint64_t limit);

}  // namespace partywall::daemon
