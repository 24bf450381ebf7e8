#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/lint/lint.h"

namespace partywall::cli {

enum class LintFormat { kText, kJson, kSarif };

// `partywall schema lint DATABASE`
struct SchemaLintOptions {
  std::string database;       // a name, or a libpq connection string or URI
  std::string platform_file;  // where the database of a cell is; empty: where libpq looks
  std::string cell;           // empty: the only one that has a database
  sql::LintSettings settings;
  LintFormat format = LintFormat::kText;
  // The exit status is 1 if there is a finding of this level or a more serious one; nullopt: never.
  std::optional<sql::FindingLevel> fail_on = sql::FindingLevel::kError;
};

// Prints the findings. kExitUnavailable if the database could not be looked at.
int schema_lint(const SchemaLintOptions& options);

}  // namespace partywall::cli
