#pragma once

#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "sql/schema/protect.h"

namespace partywall::cli {

enum class SchemaMode { kApply, kDryRun };

// `partywall schema protect DATABASE`
struct SchemaProtectOptions {
  std::string database;       // a name, or a libpq connection string or URI
  std::string platform_file;  // keys, slot roles and options of a cell; empty: none of them
  std::string cell;           // empty: the only one that has a database
  // "<id>=<file>": a register key that stays valid beside the platform file's, while rotating.
  std::string previous_key;
  std::vector<std::string> connect_roles;
  std::string tenant_column = "tenant_id";
  double lock_timeout_seconds = 10;
  uint32_t temp_file_limit_mib = 1024;  // 0: the server's own
  SchemaMode mode = SchemaMode::kApply;
};

// What the options and the platform file say.
struct Protection {
  sql::ProtectSettings settings;
  Endpoint endpoint;  // of the cell's database; empty without a platform file
};

// Prints what is wrong with the platform file.
Result<Protection> read_protection(const SchemaProtectOptions& options);

// Prints what it did or, in a dry run, the SQL that it would run. Returns the exit code.
int schema_protect(const SchemaProtectOptions& options);

}  // namespace partywall::cli
