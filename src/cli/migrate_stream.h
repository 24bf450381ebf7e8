#pragma once

#include <cstdint>
#include <string>

// The commands around a stream of changes from one database to another: `partywall migrate follow`,
// `slot` and `forget`. docs/migrate-catch-up.md is for their users.
namespace partywall::cli {

enum class StreamOutput : uint8_t { kText, kJson };

struct MigrateStreamOptions {
  std::string source;         // a name, or a libpq connection string or URI
  std::string target;         // the same; a bare name is looked for where the cell's database is
  std::string tenant;         // slug of the platform file, or UUID
  std::string platform_file;  // empty: none
  std::string cell;           // empty: the only one that has a database
  std::string rules_file;     // of the conversion: excluded tables, name of the tenant column
  std::string until_lsn;      // of `follow`: where to end; empty: never
  StreamOutput output = StreamOutput::kText;
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
