#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engines/postgres.h"
#include "sql/lint/rules.h"

namespace partywall::sql {
namespace {

using postgres::quote_identifier;

std::string remedy_of(const KeyFacts& key, const std::string& column) {
  if (key.is_exclusion) {
    return fmt::format("Make the exclusion constraint anew with {} WITH = in it.",
                       quote_identifier(column));
  }
  if (key.columns.empty()) {
    return fmt::format("Make the index anew with {} as its first column.",
                       quote_identifier(column));
  }
  const std::string columns =
      fmt::format("({}, {})", quote_identifier(column), fmt::join(key.columns, ", "));
  if (!key.is_constraint) {
    return fmt::format("CREATE UNIQUE INDEX CONCURRENTLY ON {} {}; DROP INDEX {};",
                       key.table.quoted(), columns, quote_identifier(key.name));
  }
  return fmt::format("ALTER TABLE {} DROP CONSTRAINT {}, ADD {} {};", key.table.quoted(),
                     quote_identifier(key.name), key.is_primary ? "PRIMARY KEY" : "UNIQUE",
                     columns);
}

void judge_key(const KeyFacts& key, const std::string& column, std::vector<LintFinding>& findings) {
  findings.push_back(
      {LintRule::kUniqueWithoutTenant,
       key.is_generated ? FindingLevel::kInfo : FindingLevel::kError, "table " + key.table.shown(),
       fmt::format(
           "{} {} leaves out {}{}",
           key.is_exclusion ? "exclusion constraint"
           : key.is_primary ? "primary key"
                            : "unique key",
           key.name, column,
           key.is_generated ? "; its values are the database's own, which says little" : ""),
       remedy_of(key, column)});
}

void judge_foreign_key(const ForeignKeyFacts& key, const std::string& column,
                       std::vector<LintFinding>& findings) {
  const std::string quoted = quote_identifier(column);
  findings.push_back(
      {LintRule::kForeignKeyWithoutTenant, FindingLevel::kError, "table " + key.table.shown(),
       fmt::format("foreign key {} to {} leaves out {}{}", key.name, key.referenced.shown(), column,
                   key.actions.empty() ? "" : fmt::format(", and has {}", key.actions)),
       fmt::format("ALTER TABLE {} DROP CONSTRAINT {}, ADD FOREIGN KEY ({}, {}) REFERENCES {} ({}, "
                   "{}){}{}; -- which needs a unique key on these columns there",
                   key.table.quoted(), quote_identifier(key.name), quoted,
                   fmt::join(key.columns, ", "), key.referenced.quoted(), quoted,
                   fmt::join(key.referenced_columns, ", "), key.actions.empty() ? "" : " ",
                   key.actions)});
}

}  // namespace

void judge_keys(const LintFacts& facts, std::vector<LintFinding>& findings) {
  for (const KeyFacts& key : facts.keys) judge_key(key, facts.tenant_column, findings);
  for (const ForeignKeyFacts& key : facts.foreign_keys)
    judge_foreign_key(key, facts.tenant_column, findings);
}

}  // namespace partywall::sql
