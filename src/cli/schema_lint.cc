#include "cli/schema_lint.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "base/version.h"
#include "cli/cell_database.h"
#include "cli/exit_code.h"
#include "cli/failure.h"
#include "sql/lint/report.h"

namespace partywall::cli {
namespace {

constexpr std::string_view kCommand = "schema lint";

// Findings alone are kExitFailure: a database that could not be looked at has none. What is invalid
// is a rule that is not there, a connection string, or a server that is too old.
int could_not_look(const Error& error) {
  if (error.kind == ErrorKind::kInvalid) return wrong_usage(kCommand, error);
  (void)failed(kCommand, error);
  return kExitUnavailable;
}

std::string written(const sql::LintReport& report, LintFormat format) {
  switch (format) {
    case LintFormat::kText:
      return sql::to_lint_text(report);
    case LintFormat::kJson:
      return sql::to_lint_json(report);
    case LintFormat::kSarif:
      return sql::to_lint_sarif(report, version());
  }
  return "";
}

}  // namespace

int schema_lint(const SchemaLintOptions& options) {
  Endpoint endpoint;
  if (!options.platform_file.empty()) {
    const auto platform = load_platform_file(options.platform_file);
    if (!platform) return kExitUsage;
    const auto cell = find_cell(platform->directory.cells, options.cell);
    if (!cell) return wrong_usage(kCommand, cell.error());
    endpoint = cell->sql.endpoint;
  }
  auto connection = postgres::Connection::open(connection_string(options.database, endpoint));
  if (!connection) return could_not_look(connection.error());
  const auto report = sql::lint_database(*connection, options.settings);
  if (!report) return could_not_look(report.error());
  fmt::print("{}", written(*report, options.format));
  const bool fails = options.fail_on && std::ranges::any_of(report->findings, [&](const auto& one) {
                       return one.level >= *options.fail_on;
                     });
  return fails ? kExitFailure : kExitSuccess;
}

}  // namespace partywall::cli
