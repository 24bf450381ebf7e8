#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engines/postgres.h"
#include "sql/lint/rules.h"
#include "sql/schema/tenant_index.h"

namespace partywall::sql {
namespace {

using postgres::quote_identifier;

std::string index_name(const TableState& table, const IndexState& index) {
  return QualifiedName{table.name.schema, index.name}.quoted();
}

std::string remedy_of_constraint(const TableState& table, const IndexState& index,
                                 const std::string& tenant_column) {
  const std::string column = quote_identifier(tenant_column);
  if (index.constraint_kind == 'x') {
    return fmt::format(
        "Make the exclusion constraint anew, USING gist with {} WITH = as its first "
        "(CREATE EXTENSION btree_gist).",
        column);
  }
  std::string columns = column;
  for (const std::string& other : index.columns) {
    if (other != column && other != tenant_column) columns += ", " + other;
  }
  return fmt::format(
      "ALTER TABLE {} DROP CONSTRAINT {}, ADD CONSTRAINT {} {} ({}); -- foreign keys to it must "
      "follow",
      table.name.quoted(), quote_identifier(index.constraint), quote_identifier(index.constraint),
      index.constraint_kind == 'p' ? "PRIMARY KEY" : "UNIQUE", columns);
}

std::string remedy_of(const TableState& table, const IndexState& index,
                      const std::string& tenant_column) {
  if (!index.constraint.empty()) return remedy_of_constraint(table, index, tenant_column);
  const std::string column = quote_identifier(tenant_column);
  // PostgreSQL has no CONCURRENTLY for the index of a partitioned table.
  const std::string_view gently = index.is_partitioned ? "" : " CONCURRENTLY";
  const std::string drop = fmt::format("DROP INDEX{} {};", gently, index_name(table, index));
  const bool becomes_btree = index.method == "hash";
  if (!becomes_btree && !can_lead_with_tenant(index.method)) {
    return fmt::format(
        "{} -- {} cannot keep tenants apart: btree, and gist with the extension btree_gist, can "
        "with {} as the first column",
        drop, index.method, column);
  }
  return fmt::format("{}CREATE {}INDEX{} ON {} USING {} ({}, {}; {}",
                     index.method == "gist" ? "CREATE EXTENSION IF NOT EXISTS btree_gist; " : "",
                     index.is_unique ? "UNIQUE " : "", gently, table.name.quoted(),
                     becomes_btree ? "btree" : index.method, column, index.rest, drop);
}

// Those that are searched after row-level security has chosen the rows are not searched at all.
LintFinding unused(const IndexState& index, const std::string& object) {
  return {LintRule::kIndexLeaksValues, FindingLevel::kInfo, object,
          fmt::format("it is no use to tenants and leaks nothing: none of its operators ({}) is "
                      "leakproof, so that PostgreSQL applies row-level security first",
                      index.method),
          "Drop it, unless somebody who is no tenant searches with it."};
}

void judge_index(const TableState& table, const IndexState& index, const std::string& tenant_column,
                 std::vector<LintFinding>& findings) {
  const std::string object = "index " + QualifiedName{table.name.schema, index.name}.shown();
  if (leaks_values(index)) {
    findings.push_back(
        {LintRule::kIndexLeaksValues, FindingLevel::kError, object,
         index.led_by_tenant
             ? fmt::format("of table {}: the method {} meets other tenants' entries wherever {} "
                           "stands",
                           table.name.shown(), index.method, tenant_column)
             : fmt::format("of table {}: it ({}) does not begin with {}", table.name.shown(),
                           index.method, tenant_column),
         remedy_of(table, index, tenant_column)});
  } else if (!index.only_tenant && !index.led_by_tenant) {
    findings.push_back(unused(index, object));
  }
}

}  // namespace

void judge_indexes(const LintFacts& facts, std::vector<LintFinding>& findings) {
  for (const TableState& table : facts.schema.tables) {
    if (table.tenant_type != "uuid" || table.kind == TableKind::kForeign) continue;
    for (const IndexState& index : table.indexes)
      judge_index(table, index, facts.tenant_column, findings);
  }
}

}  // namespace partywall::sql
