#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engines/postgres.h"
#include "sql/lint/rules.h"
#include "sql/schema/register_sql.h"
#include "sql/schema/tenant_policy.h"

namespace partywall::sql {
namespace {

constexpr std::string_view kSelect = "SELECT ";

// Calls of a function, as pg_get_expr shows them: those that stand right behind SELECT are made
// once for a statement, the others for each row.
bool is_called_for_each_row(std::string_view expression, std::string_view call) {
  for (size_t at = expression.find(call); at != std::string_view::npos;
       at = expression.find(call, at + call.size())) {
    if (!expression.substr(0, at).ends_with(kSelect)) return true;
  }
  return false;
}

bool mentions(const PolicyState& policy, std::string_view text) {
  return policy.using_expression.contains(text) || policy.check_expression.contains(text);
}

void judge_policy(const TableState& table, const PolicyState& policy, const std::string& column,
                  std::vector<LintFinding>& findings) {
  constexpr std::string_view kSetting = "current_setting(";
  const std::string object = fmt::format("policy {} on table {}", policy.name, table.name.shown());
  const std::string drop = fmt::format(
      "DROP POLICY {} ON {};", postgres::quote_identifier(policy.name), table.name.quoted());
  if (mentions(policy, kSetting) && mentions(policy, column)) {
    findings.push_back(
        {LintRule::kPolicyReadsSetting, FindingLevel::kError, object,
         fmt::format("it compares {} with a setting, which every session can change", column),
         drop + " -- the policy of the tenant register takes its place"});
  }
  for (const std::string_view call : {std::string_view(kTenantDefault), kSetting}) {
    if (!is_called_for_each_row(policy.using_expression, call)) continue;
    findings.push_back({LintRule::kPolicyNotSubselect, FindingLevel::kWarning, object,
                        fmt::format("{} is called for each row", call.substr(0, call.find('('))),
                        fmt::format("Write {} = (SELECT {}) instead.", column, kTenantDefault)});
    return;
  }
}

}  // namespace

void judge_policies(const LintFacts& facts, std::vector<LintFinding>& findings) {
  for (const TableState& table : facts.schema.tables) {
    if (table.tenant_type.empty()) continue;
    for (const PolicyState& policy : table.policies)
      judge_policy(table, policy, facts.tenant_column, findings);
    if (table.tenant_type != "uuid" || table.kind == TableKind::kForeign) continue;
    const bool is_tied = std::ranges::any_of(table.policies, [&](const PolicyState& policy) {
      return is_tenant_policy(policy, facts.tenant_column);
    });
    if (is_tied || !table.row_security) continue;
    findings.push_back({LintRule::kNoTenantPolicy,
                        table.policies.empty() ? FindingLevel::kWarning : FindingLevel::kError,
                        "table " + table.name.shown(),
                        table.policies.empty()
                            ? "it has no policy: nobody but its owner sees a row"
                            : "none of its policies is the restrictive one on the register",
                        "partywall schema protect DATABASE makes it."});
  }
}

}  // namespace partywall::sql
