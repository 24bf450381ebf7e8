#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engines/postgres.h"
#include "sql/lint/rule.h"

// `partywall schema lint`: what in a schema lets tenants see, change or slow each other. Reads the
// catalogs in one read-only transaction. docs/schema-lint.md is for its users.
namespace partywall::sql {

struct LintSettings {
  std::string tenant_column = "tenant_id";
  // What is known and accepted: "RULE" everywhere, "RULE:OBJECT" there: "publication",
  // "tenant-column-missing:table public.country".
  std::vector<std::string> ignored;
};

struct LintReport {
  std::string database;
  std::vector<LintFinding> findings;
  size_t ignored = 0;  // findings that were left out
};

// kInvalid: `ignored` names no rule, or the server is older than PostgreSQL 15.
Result<LintReport> lint_database(postgres::Connection& connection, const LintSettings& settings);

// The part of it that decides.
Result<LintReport> leave_out_ignored(std::vector<LintFinding> findings,
                                     const std::vector<std::string>& ignored);

}  // namespace partywall::sql
