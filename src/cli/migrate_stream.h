#pragma once

#include <string>

#include "cli/migrate_place.h"

// The commands around a stream of changes from one database to another: `partywall migrate follow`,
// `slot` and `forget`. docs/migrate-catch-up.md is for their users.
namespace partywall::cli {

struct MigrateStreamOptions {
  std::string source;  // a name, or a libpq connection string or URI
  MigrateTarget to;
  std::string rules_file;  // of the conversion: excluded tables, name of the tenant column
  std::string until_lsn;   // of `follow`: where to end; empty: never
};

// Applies the source's changes until SIGINT, or until everything before `until_lsn` is there.
// Connections that are lost are made again. kExitConflict: source and target do not fit together,
// or have parted; kExitUnavailable: a database does not answer at the start.
int migrate_follow(const MigrateStreamOptions& options);

// Makes publication and slot, says so, and keeps the slot's snapshot until SIGINT, for who copies
// the rows.
int migrate_slot(const MigrateStreamOptions& options);

// Removes slot, publication and the target's memory of the stream.
int migrate_forget(const MigrateStreamOptions& options);

}  // namespace partywall::cli
