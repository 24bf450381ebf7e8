#include <algorithm>

#include "sql/schema/planners.h"

namespace partywall::sql {
namespace {

using postgres::quote_identifier;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void plan_connect(const DatabaseState& database, const ProtectSettings& settings,
                  SchemaPlan& plan) {
  const std::string name = quote_identifier(database.name);
  for (const std::string& role : settings.connect_roles) {
    if (database.connect_roles.contains(role)) continue;
    plan.steps.push_back(
        {.sql = fmt::format("GRANT CONNECT ON DATABASE {} TO {}", name, quote_identifier(role)),
         .reason = "named as a role that may connect"});
  }
  if (!database.user_is_superuser && !database.user_owns_database &&
      !database.connect_roles.contains(database.user)) {
    plan.steps.push_back({.sql = fmt::format("GRANT CONNECT ON DATABASE {} TO CURRENT_USER", name),
                          .reason = "you need it for the next run"});
  }
  if (!database.public_may_connect) return;
  plan.steps.push_back({.sql = fmt::format("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", name),
                        .reason = "everybody may use the tables, so not everybody may come in"});
  std::vector<std::string> locked_out = database.roles_that_would_lose_connect;
  std::erase_if(locked_out, [&](const std::string& role) {
    return std::ranges::count(settings.connect_roles, role) > 0;
  });
  if (locked_out.empty()) return;
  plan.findings.push_back(
      {FindingLevel::kWarning, "database " + database.name,
       fmt::format("these roles can no longer connect to it directly: {}", joined(locked_out)),
       "Connect through the sql door, or name those that must (migrations) with --connect-role."});
}

void plan_temp(const DatabaseState& database, const ProtectSettings& settings, SchemaPlan& plan) {
  const std::string name = quote_identifier(database.name);
  if (settings.allow_temp && !database.public_may_temp) {
    plan.steps.push_back({.sql = fmt::format("GRANT TEMPORARY ON DATABASE {} TO PUBLIC", name),
                          .reason = "this cell allows temporary tables"});
  }
  if (!settings.allow_temp && database.public_may_temp) {
    plan.steps.push_back({.sql = fmt::format("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", name),
                          .reason = "a temporary table could stand in front of a real one"});
  }
}

}  // namespace

void plan_database(const SchemaState& state, const ProtectSettings& settings, SchemaPlan& plan) {
  const DatabaseState& database = state.database;
  plan_connect(database, settings, plan);
  plan_temp(database, settings, plan);
  if (database.public_may_create) {
    plan.steps.push_back({.sql = fmt::format("REVOKE CREATE ON DATABASE {} FROM PUBLIC",
                                             quote_identifier(database.name)),
                          .reason = "tenants make no schemas"});
  }
  for (const NamespaceState& space : state.namespaces) {
    if (!space.public_create) continue;
    plan.steps.push_back(
        {.sql = fmt::format("REVOKE CREATE ON SCHEMA {} FROM PUBLIC", quote_identifier(space.name)),
         .reason = "a tenant's function or table could stand in front of yours"});
  }
  // Only a superuser can; without it the door prepares again for each client.
  if (database.public_may_list_prepared_statements && database.user_is_superuser) {
    plan.steps.push_back(
        {.sql = "REVOKE ALL ON FUNCTION pg_catalog.pg_prepared_statement() FROM PUBLIC",
         .reason = "a tenant's clients share the door's prepared statements, under hidden names"});
  }
  if (database.user_is_superuser) {
    for (const std::string& function : database.needless_functions) {
      plan.steps.push_back({.sql = fmt::format("REVOKE ALL ON FUNCTION {} FROM PUBLIC", function),
                            .reason = "row-level security does not apply to what it does"});
    }
  }
  for (const std::string& object : database.readable_statistics) {
    plan.steps.push_back({.sql = fmt::format("REVOKE ALL ON {} FROM PUBLIC", object),
                          .reason = "it shows a slot role the statements of earlier tenants"});
  }
}

}  // namespace partywall::sql
