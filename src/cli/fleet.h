#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "cli/output.h"

namespace partywall::cli {

// `partywall fleet …`: the pools whose instances a node keeps.
struct FleetOptions {
  std::string platform_file = ".partywall/platform.yaml";
  std::string admin;  // ADDRESS:PORT; empty: as the platform file says
  std::string pool;   // CELL/POOL, or POOL where there is one of that name; empty: the only one
  OutputFormat output = OutputFormat::kTable;
};

int fleet_status(const FleetOptions& options);
// Why the pool has as many instances as it has.
int fleet_explain(const FleetOptions& options);
int fleet_history(const FleetOptions& options);
int fleet_scale(const FleetOptions& options, uint32_t count);
int fleet_pause(const FleetOptions& options);
int fleet_resume(const FleetOptions& options);

// What a node answered about its pools, for people.
std::string describe_pools(const JsonArray& pools);

}  // namespace partywall::cli
