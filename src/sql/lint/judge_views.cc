#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "sql/lint/rules.h"

namespace partywall::sql {
namespace {

// Tables with tenants' rows, and the views that read them, however many views lie between.
std::set<QualifiedName> with_tenants_rows(const LintFacts& facts) {
  std::set<QualifiedName> names;
  for (const TableState& table : facts.schema.tables) {
    if (!table.tenant_type.empty()) names.insert(table.name);
  }
  for (size_t before = 0; before != names.size();) {
    before = names.size();
    for (const ViewState& view : facts.schema.views) {
      const bool reads = std::ranges::any_of(
          view.tables, [&](const QualifiedName& name) { return names.contains(name); });
      if (reads) names.insert(view.name);
    }
  }
  return names;
}

void judge_materialized(const ViewState& view, std::vector<LintFinding>& findings) {
  findings.push_back(
      {LintRule::kMaterializedView,
       view.public_may_read ? FindingLevel::kError : FindingLevel::kInfo,
       "materialized view " + view.name.shown(),
       view.public_may_read ? "tenants may read all of it" : "tenants have no rights on it",
       fmt::format("REVOKE ALL ON {} FROM PUBLIC; for tenants make it a table with the tenant "
                   "column.",
                   view.name.quoted())});
}

void judge_plain(const ViewState& view, std::vector<LintFinding>& findings) {
  const bool leaks = view.owner_bypasses_rls && view.public_may_read;
  findings.push_back(
      {LintRule::kViewOwnerRights, leaks ? FindingLevel::kError : FindingLevel::kWarning,
       "view " + view.name.shown(),
       fmt::format("it reads with the rights of {}{}{}", view.owner,
                   view.owner_bypasses_rls ? ", who sees all tenants' rows" : "",
                   view.public_may_read ? "; tenants may read it" : ""),
       fmt::format("ALTER VIEW {} SET (security_invoker = true);", view.name.quoted())});
}

}  // namespace

void judge_views(const LintFacts& facts, std::vector<LintFinding>& findings) {
  const auto names = with_tenants_rows(facts);
  for (const ViewState& view : facts.schema.views) {
    if (!names.contains(view.name)) continue;
    if (view.is_materialized) {
      judge_materialized(view, findings);
    } else if (!view.security_invoker) {
      judge_plain(view, findings);
    }
  }
}

}  // namespace partywall::sql
