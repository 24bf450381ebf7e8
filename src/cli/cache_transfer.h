#pragma once

#include <cstdint>
#include <string>

namespace partywall::cli {

// Whose keys, and who may touch them.
struct CacheTransferOptions {
  std::string platform_file;
  std::string tenant;         // slug or id
  std::string administrator;  // Redis user
  std::string password_file;
  std::string file = "-";             // "-": standard input or output
  uint64_t megabytes_per_second = 0;  // 0: as fast as it goes
};

// Keys of a Redis that no platform file knows.
struct ForeignSource {
  std::string address;  // "10.0.0.1:6379"; empty: the tenant's own cache
  std::string user;     // empty: nobody logs in
  std::string password_file;
  uint32_t database = 0;
  std::string prefix;  // only keys that begin with it, which is taken off
};

enum class ExistingKeys { kRefuse, kKeep };

// Each returns the exit code; progress and findings go to standard error.
int cache_export(const CacheTransferOptions& options, const ForeignSource& source);
int cache_import(const CacheTransferOptions& options, ExistingKeys existing);
// Prints the proof, one JSON object a line.
int cache_erase(const CacheTransferOptions& options);

}  // namespace partywall::cli
