#pragma once

#include <cstdint>
#include <string>

#include "cli/migrate_place.h"

// `partywall migrate …`: a tenant's rows from a database of its own into the shared one.
namespace partywall::cli {

// What the tenant's application does while its rows are moved.
enum class MigrateUse : uint8_t {
  kAtRest,               // nothing
  kOnline,               // goes on; its changes are followed until SIGINT
  kOnlineUntilVerified,  // goes on; the command ends once both databases were equal
};

struct MigrateOptions {
  std::string source;  // a name, or a libpq connection string or URI
  MigrateTarget to;
  std::string rules_file;
  MigrateUse use = MigrateUse::kAtRest;
  uint32_t workers = 2;
  uint64_t megabytes_per_second = 0;  // MiB; 0: as fast as it goes
  uint64_t blocks_per_chunk = 4096;   // of 8 KiB
};

// Each returns the exit code. kExitFailure: something stands in the way, or differs;
// kExitUsage: a file or a name is wrong; kExitConflict: another process or another source has the
// migration; kExitUnavailable: a database does not answer.
int migrate_preflight(const MigrateOptions& options);
int migrate_run(const MigrateOptions& options);
int migrate_verify(const MigrateOptions& options);
// kExitNotFound: none was begun.
int migrate_status(const MigrateTarget& to);

enum class DiscardScope { kUnverified, kVerifiedToo };
int migrate_discard(const MigrateTarget& to, DiscardScope scope);

}  // namespace partywall::cli
