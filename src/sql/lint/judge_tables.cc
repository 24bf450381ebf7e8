#include <algorithm>

#include <fmt/format.h>

#include "engines/postgres.h"
#include "sql/lint/rules.h"

namespace partywall::sql {
namespace {

using postgres::quote_identifier;

std::string object_of(const TableState& table) { return "table " + table.name.shown(); }

// A tenant may do something with it: slot roles have the rights of PUBLIC.
bool is_open(const TableState& table) { return !table.public_privileges.empty(); }

FindingLevel level_if_open(const TableState& table) {
  return is_open(table) ? FindingLevel::kError : FindingLevel::kWarning;
}

constexpr std::string_view kProtect = "partywall schema protect DATABASE does it.";

void judge_without_tenant(const TableState& table, const std::string& column,
                          std::vector<LintFinding>& findings) {
  const bool writable = std::ranges::any_of(
      table.public_privileges, [](const std::string& right) { return right != "SELECT"; });
  LintFinding finding{.rule = LintRule::kTenantColumnMissing, .object = object_of(table)};
  if (writable) {
    finding.level = FindingLevel::kError;
    finding.message = fmt::format("it has no column {}, and every tenant may write it", column);
  } else if (is_open(table)) {
    finding.level = FindingLevel::kInfo;
    finding.message = fmt::format("it has no column {}, and every tenant may read it", column);
  } else {
    finding.message = fmt::format("it has no column {}; tenants have no rights on it", column);
  }
  finding.remedy = fmt::format(
      "ALTER TABLE {} ADD COLUMN {} uuid NOT NULL …; or, if it is for all tenants: REVOKE ALL ON "
      "{} FROM PUBLIC; GRANT SELECT ON {} TO PUBLIC;",
      table.name.quoted(), quote_identifier(column), table.name.quoted(), table.name.quoted());
  findings.push_back(std::move(finding));
}

void judge_row_security(const TableState& table, std::vector<LintFinding>& findings) {
  if (!table.row_security) {
    findings.push_back({table.is_partition ? LintRule::kPartitionOpen : LintRule::kRowSecurityOff,
                        level_if_open(table), object_of(table),
                        table.is_partition ? "it is a partition without row-level security"
                                           : "row-level security is not enabled",
                        fmt::format("ALTER TABLE {} ENABLE ROW LEVEL SECURITY; {}",
                                    table.name.quoted(), kProtect)});
  }
  if (!table.force_row_security) {
    findings.push_back(
        {LintRule::kRowSecurityNotForced, FindingLevel::kError, object_of(table),
         fmt::format("its owner {} is exempt from its policies", table.owner),
         fmt::format("ALTER TABLE {} FORCE ROW LEVEL SECURITY;", table.name.quoted())});
  }
}

void judge_grants(const TableState& table, std::vector<LintFinding>& findings) {
  for (const char* right : {"TRUNCATE", "REFERENCES", "TRIGGER"}) {
    if (!table.public_privileges.contains(right)) continue;
    findings.push_back({LintRule::kGrantBeyondRowSecurity, FindingLevel::kError, object_of(table),
                        fmt::format("PUBLIC has {}", right),
                        fmt::format("REVOKE {} ON {} FROM PUBLIC;", right, table.name.quoted())});
  }
}

void judge_tenant_table(const TenantTableFacts& facts, const std::string& column,
                        std::vector<LintFinding>& findings) {
  const std::string object = "table " + facts.table.shown();
  if (!facts.column_is_required) {
    findings.push_back({LintRule::kTenantColumnNullable, FindingLevel::kInfo, object,
                        fmt::format("{} may be NULL", column),
                        fmt::format("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL;",
                                    facts.table.quoted(), quote_identifier(column))});
  }
  if (!facts.index_led_by_tenant) {
    findings.push_back({LintRule::kIndexNotLedByTenant, FindingLevel::kWarning, object,
                        fmt::format("no index begins with {}", column),
                        fmt::format("CREATE INDEX CONCURRENTLY ON {} ({}, …);",
                                    facts.table.quoted(), quote_identifier(column))});
  }
  for (const std::string& rule : facts.rewrite_rules) {
    findings.push_back({LintRule::kRewriteRule, FindingLevel::kWarning, object,
                        fmt::format("it has the rewrite rule {}", rule),
                        fmt::format("DROP RULE {} ON {}; a trigger that is not SECURITY DEFINER "
                                    "does the same with the rights of who writes.",
                                    quote_identifier(rule), facts.table.quoted())});
  }
}

}  // namespace

void judge_tables(const LintFacts& facts, std::vector<LintFinding>& findings) {
  for (const TableState& table : facts.schema.tables) {
    if (table.kind == TableKind::kForeign) {
      findings.push_back(
          {LintRule::kForeignTable, level_if_open(table), "foreign table " + table.name.shown(),
           is_open(table) ? "tenants may use all of its rows" : "tenants have no rights on it",
           fmt::format("REVOKE ALL ON {} FROM PUBLIC;", table.name.quoted())});
    } else if (table.tenant_type.empty()) {
      judge_without_tenant(table, facts.tenant_column, findings);
    } else if (table.tenant_type != "uuid") {
      findings.push_back(
          {LintRule::kTenantColumnNotUuid, level_if_open(table), object_of(table),
           fmt::format("its column {} is {}", facts.tenant_column, table.tenant_type),
           fmt::format("ALTER TABLE {} ALTER COLUMN {} TYPE uuid USING …;", table.name.quoted(),
                       quote_identifier(facts.tenant_column))});
    } else {
      judge_row_security(table, findings);
    }
    if (table.kind != TableKind::kForeign) judge_grants(table, findings);
  }
  for (const TenantTableFacts& table : facts.tenant_tables)
    judge_tenant_table(table, facts.tenant_column, findings);
}

}  // namespace partywall::sql
