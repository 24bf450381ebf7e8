#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/result.h"
#include "base/uuid.h"
#include "cli/failure.h"

// What the commands of `partywall migrate` share: whose rows, where they are to be, and how a
// command fails.
namespace partywall::cli {

enum class MigrateFormat : uint8_t { kText, kJson };

// Which tenant, and where its rows are to be.
struct MigrateTarget {
  std::string database;       // its name, or a libpq connection string or URI
  std::string tenant;         // UUID; with a platform file also its slug
  std::string platform_file;  // tenants, and where the database of their cell is; may be empty
  MigrateFormat format = MigrateFormat::kText;
};

struct MigratePlace {
  Uuid tenant;
  std::string slug;      // its UUID without a platform file
  std::string database;  // connection string
};

// kInvalid: a file or a name is wrong.
Result<MigratePlace> find_migrate_place(const MigrateTarget& to);

// As failed() and wrong_usage(), of `partywall migrate COMMAND`.
inline int migrate_failed(std::string_view command, const Error& error) {
  return failed(fmt::format("migrate {}", command), error);
}
inline int migrate_wrong_usage(std::string_view command, const Error& error) {
  return wrong_usage(fmt::format("migrate {}", command), error);
}

}  // namespace partywall::cli
