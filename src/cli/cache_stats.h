#pragma once

#include <string>

#include "base/json.h"
#include "cli/output.h"

namespace partywall::cli {

// `partywall cache stats`
struct CacheStatsOptions {
  std::string tenant;
  std::string platform_file;
  std::string admin;  // ADDRESS:PORT; empty: as the platform file says
  OutputFormat output = OutputFormat::kTable;
};

// Asks a node's admin port. Returns the exit code.
int cache_stats(const CacheStatsOptions& options);

// What the node answered, for people.
std::string describe_cache_use(const JsonValue& use);

}  // namespace partywall::cli
