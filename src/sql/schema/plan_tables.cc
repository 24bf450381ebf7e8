#include <algorithm>
#include <array>

#include "sql/schema/planners.h"
#include "sql/schema/register_sql.h"
#include "sql/schema/tenant_index.h"
#include "sql/schema/tenant_policy.h"

namespace partywall::sql {
namespace {

using postgres::quote_identifier;

constexpr std::array<std::string_view, 4> kGranted{"SELECT", "INSERT", "UPDATE", "DELETE"};
// TRUNCATE ignores row-level security; a trigger or a foreign key runs with other rights or tells
// whether a foreign row exists.
constexpr std::array<std::string_view, 3> kRefused{"TRUNCATE", "REFERENCES", "TRIGGER"};

template <class Wanted>
std::string listed(const Wanted& privileges, const auto& fits) {
  std::string text;
  for (const std::string_view privilege : privileges) {
    if (fits(std::string(privilege))) text.append(text.empty() ? "" : ", ").append(privilege);
  }
  return text;
}

class TablePlanner {
 public:
  TablePlanner(const TableState& table, const std::string& tenant_column, SchemaPlan& plan)
      : table_(table),
        tenant_column_(tenant_column),
        column_(quote_identifier(tenant_column)),
        plan_(plan),
        name_(table.name.quoted()) {}

  void plan() {
    if (!table_.row_security)
      alter("ENABLE ROW LEVEL SECURITY", "only rows that a policy allows are seen");
    if (!table_.force_row_security) alter("FORCE ROW LEVEL SECURITY", "its owner is no exception");
    if (table_.tenant_default != kTenantDefault) plan_default();
    plan_tenant_policy();
    plan_rows_policy();
    if (!table_.is_partition) plan_grants();
    for (const std::string& sequence : table_.sequences_without_usage) {
      add("GRANT USAGE ON SEQUENCE " + sequence + " TO PUBLIC",
          "an INSERT draws its number from it");
    }
    report_indexes();
  }

 private:
  void add(std::string sql, std::string reason) {
    plan_.steps.push_back({.sql = std::move(sql), .reason = std::move(reason)});
  }
  void alter(std::string_view action, std::string reason) {
    add(fmt::format("ALTER TABLE {} {}", name_, action), std::move(reason));
  }
  void find(FindingLevel level, std::string message, std::string remedy) {
    plan_.findings.push_back(
        {level, "table " + table_.name.shown(), std::move(message), std::move(remedy)});
  }

  void plan_default() {
    alter(fmt::format("ALTER COLUMN {} SET DEFAULT {}", column_, kTenantDefault),
          "applications need not name the tenant");
    if (table_.tenant_default.empty()) return;
    find(FindingLevel::kInfo,
         fmt::format("the default {} of {} is replaced", table_.tenant_default, column_), "");
  }

  [[nodiscard]] const PolicyState* find_policy(std::string_view name) const {
    const auto policy = std::ranges::find(table_.policies, name, &PolicyState::name);
    return policy == table_.policies.end() ? nullptr : &*policy;
  }

  // Restrictive: whatever other policies somebody adds later, they narrow what this one leaves.
  void plan_tenant_policy() {
    const PolicyState* present = find_policy(kTenantPolicy);
    if (present != nullptr && is_tenant_policy(*present, tenant_column_)) return;
    drop(present);
    const std::string test = fmt::format("{} = (SELECT {})", column_, kTenantDefault);
    add(fmt::format(
            "CREATE POLICY {} ON {} AS RESTRICTIVE FOR ALL TO PUBLIC USING ({}) WITH CHECK ({})",
            kTenantPolicy, name_, test, test),
        "a tenant sees and writes its own rows; the sub-select is evaluated once for a statement");
  }

  // A restrictive policy alone allows nothing: one permissive policy must be there.
  void plan_rows_policy() {
    std::string others;
    for (const PolicyState& policy : table_.policies) {
      if (policy.is_permissive && policy.name != kRowsPolicy && policy.name != kTenantPolicy) {
        others += (others.empty() ? "" : ", ") + policy.name;
      }
    }
    const PolicyState* present = find_policy(kRowsPolicy);
    if (!others.empty()) {
      drop(present);
      find(FindingLevel::kInfo,
           fmt::format(
               "it has policies of its own ({}): they go on choosing among the tenant's rows",
               others),
           "Drop those that were meant to separate tenants: they only cost time now.");
      return;
    }
    const bool is_right = present != nullptr && present->is_permissive &&
                          present->is_for_everybody && present->command == "*" &&
                          present->using_expression == "true" &&
                          present->check_expression == "true";
    if (is_right) return;
    drop(present);
    add(fmt::format("CREATE POLICY {} ON {} FOR ALL TO PUBLIC USING (true) WITH CHECK (true)",
                    kRowsPolicy, name_),
        fmt::format("{} only takes away; this gives it something to choose from", kTenantPolicy));
  }

  void drop(const PolicyState* present) {
    if (present != nullptr)
      add(fmt::format("DROP POLICY {} ON {}", present->name, name_), "it was changed");
  }

  void plan_grants() {
    const auto has = [&](const std::string& privilege) {
      return table_.public_privileges.contains(privilege);
    };
    if (const auto missing = listed(kGranted, std::not_fn(has)); !missing.empty()) {
      add(fmt::format("GRANT {} ON {} TO PUBLIC", missing, name_),
          "row-level security decides about the rows");
    }
    if (const auto harmful = listed(kRefused, has); !harmful.empty()) {
      add(fmt::format("REVOKE {} ON {} FROM PUBLIC", harmful, name_),
          "row-level security does not apply to it");
    }
  }

  // Other statements than this plan's make them anew: that takes long, and the table's owner.
  void report_indexes() {
    std::string names;
    for (const IndexState& index : table_.indexes) {
      if (leaks_values(index)) names += (names.empty() ? "" : ", ") + index.name;
    }
    if (names.empty()) return;
    find(FindingLevel::kError,
         fmt::format("indexes that do not begin with {} tell a tenant its neighbours' values: {}",
                     tenant_column_, names),
         "partywall schema lint DATABASE says of each how to make it anew.");
  }

  const TableState& table_;
  const std::string& tenant_column_;
  std::string column_;  // quoted
  SchemaPlan& plan_;
  std::string name_;
};

// A column of another type, or none.
void report_unprotected(const TableState& table, const std::string& column, SchemaPlan& plan) {
  const std::string object = "table " + table.name.shown();
  if (table.kind == TableKind::kForeign) {
    plan.findings.push_back({FindingLevel::kWarning, object,
                             "it is a foreign table: PostgreSQL cannot protect its rows",
                             "Protect them where they are, and grant nothing on it to tenants."});
    return;
  }
  if (!table.tenant_type.empty()) {
    plan.findings.push_back(
        {FindingLevel::kError, object,
         fmt::format("its column {} is {}, not uuid: the table is NOT protected", column,
                     table.tenant_type),
         fmt::format("ALTER TABLE {} ALTER COLUMN {} TYPE uuid USING …", table.name.quoted(),
                     column)});
    return;
  }
  const bool is_open = !table.public_privileges.empty();
  plan.findings.push_back(
      {is_open ? FindingLevel::kError : FindingLevel::kWarning, object,
       fmt::format("it has no column {}: it is NOT protected, and {}", column,
                   is_open ? "every tenant may use all of it" : "tenants have no rights on it"),
       fmt::format(
           "A table of tenants needs the column; of a table for all of them, grant SELECT alone "
           "(GRANT SELECT ON {} TO PUBLIC).",
           table.name.quoted())});
}

// A view that does not ask for the rights of whoever reads it.
void report_view(const ViewState& view, SchemaPlan& plan) {
  SchemaFinding finding;
  const bool shows_all = view.is_materialized || view.owner_bypasses_rls;
  finding.level = shows_all && view.public_may_read ? FindingLevel::kError : FindingLevel::kWarning;
  finding.object = (view.is_materialized ? "materialized view " : "view ") + view.name.shown();
  finding.remedy = fmt::format("ALTER VIEW {} SET (security_invoker = true)", view.name.quoted());
  if (view.is_materialized) {
    finding.message = "it holds rows of all tenants, and row-level security does not apply to it";
    finding.remedy =
        "Grant nothing on it to tenants; make it a table with the tenant column instead.";
  } else if (view.owner_bypasses_rls) {
    finding.message = fmt::format(
        "it reads with the rights of its owner {}, who sees all tenants' rows", view.owner);
  } else {
    finding.message = fmt::format(
        "it reads with the rights of its owner {}: safe only as long as that role is neither "
        "superuser nor BYPASSRLS",
        view.owner);
  }
  finding.message +=
      view.public_may_read ? "; tenants may read it" : "; tenants have no rights on it";
  plan.findings.push_back(std::move(finding));
}

void plan_schema_usage(const SchemaState& state, const std::set<std::string>& used,
                       SchemaPlan& plan) {
  for (const NamespaceState& space : state.namespaces) {
    if (space.public_usage || !used.contains(space.name)) continue;
    plan.steps.push_back(
        {.sql = fmt::format("GRANT USAGE ON SCHEMA {} TO PUBLIC", quote_identifier(space.name)),
         .reason = "protected tables are in it"});
  }
}

}  // namespace

void plan_tables(const SchemaState& state, const ProtectSettings& settings, SchemaPlan& plan) {
  std::set<QualifiedName> with_tenants;
  std::set<std::string> schemas;
  for (const TableState& table : state.tables) {
    if (!table.tenant_type.empty()) with_tenants.insert(table.name);
    if (table.tenant_type == "uuid" && table.kind != TableKind::kForeign)
      schemas.insert(table.name.schema);
  }
  plan_schema_usage(state, schemas, plan);
  for (const TableState& table : state.tables) {
    if (table.tenant_type == "uuid" && table.kind != TableKind::kForeign) {
      TablePlanner(table, settings.tenant_column, plan).plan();
    } else {
      report_unprotected(table, settings.tenant_column, plan);
    }
  }
  for (const ViewState& view : state.views) {
    const bool reads_tenants = std::ranges::any_of(
        view.tables, [&](const QualifiedName& name) { return with_tenants.contains(name); });
    if (reads_tenants && !view.security_invoker) report_view(view, plan);
  }
}

SchemaPlan plan_from(const SchemaState& state, const ProtectSettings& settings) {
  SchemaPlan plan;
  plan_register(state, settings, plan);
  plan_slots(state, settings, plan);
  plan_database(state, settings, plan);
  plan_tables(state, settings, plan);
  return plan;
}

}  // namespace partywall::sql
