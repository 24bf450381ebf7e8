#include "migrate/convert/convert.h"

#include <algorithm>

#include <fmt/format.h>

#include "migrate/convert/sequence_functions.h"
#include "migrate/schema/difference.h"
#include "migrate/schema/qualified_name.h"
#include "migrate/schema/read_catalog.h"
#include "sql/schema/planners.h"
#include "sql/schema/read_state.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::Transaction;
using sql::FindingLevel;

Result<> check_version(const Connection& connection, int oldest, std::string_view role) {
  if (connection.server_version() >= oldest) return {};
  return fail(ErrorKind::kInvalid, "the {} is PostgreSQL {}; {} or newer is needed", role,
              connection.server_version() / 10000, oldest / 10000);
}

// What must be so before the steps are: the databases as a whole.
void compare_databases(const Catalog& source, const Catalog& target, ConversionPlan& plan) {
  const std::string object = "database " + target.database;
  if (source.encoding != target.encoding) {
    plan.refusals.push_back(
        {FindingLevel::kError, object,
         fmt::format("its encoding is {}, the source's is {}", target.encoding, source.encoding),
         "Make the target with the source's encoding."});
  }
  if (source.collation != target.collation) {
    plan.plan.findings.push_back(
        {FindingLevel::kWarning, object,
         fmt::format("its collation is {}, the source's is {}: text is sorted in another way",
                     target.collation, source.collation),
         ""});
  }
}

void append(std::vector<sql::SchemaFinding>& to, std::vector<sql::SchemaFinding> from) {
  std::ranges::move(from, std::back_inserter(to));
}

struct Target {
  Catalog catalog;
  SequenceFunctions functions;
};

Result<Target> read_target(Connection& connection) {
  auto catalog = read_catalog(connection);
  if (!catalog) return std::unexpected(catalog.error());
  const auto functions = read_sequence_functions(connection);
  if (!functions) return std::unexpected(functions.error());
  return Target{*std::move(catalog), *functions};
}

// All but the protection.
std::vector<sql::SchemaStep> steps_between(const Conversion& conversion, const Target& target,
                                           Difference& difference) {
  std::vector<sql::SchemaStep> steps;
  if (conversion.needs_sequence_functions) steps = sequence_function_steps(target.functions);
  difference = find_difference(conversion.wanted, target.catalog);
  for (Step& step : difference.steps) {
    steps.push_back({.sql = std::move(step.sql), .reason = std::move(step.reason)});
  }
  return steps;
}

// As in a dump: functions may name what comes after them, and names mean what they say.
std::vector<sql::SchemaStep> preparations() {
  return {{.sql = "SET LOCAL search_path = pg_catalog", .reason = "every name is qualified"},
          {.sql = "SET LOCAL check_function_bodies = off",
           .reason = "a function may name what comes after it"}};
}

ConversionPlan plan_steps(const Catalog& source, const Target& target, Conversion conversion) {
  ConversionPlan plan;
  plan.source = source.database;
  plan.target = target.catalog.database;
  Difference difference;
  std::vector<sql::SchemaStep> steps = steps_between(conversion, target, difference);
  if (!steps.empty()) plan.plan.steps = preparations();
  std::ranges::move(steps, std::back_inserter(plan.plan.steps));
  plan.plan.findings = std::move(conversion.findings);
  append(plan.plan.findings, std::move(difference.surplus));
  plan.refusals = std::move(conversion.refusals);
  append(plan.refusals, std::move(difference.refusals));
  plan.breaks = std::move(conversion.breaks);
  plan.classes = std::move(conversion.classes);
  compare_databases(source, target.catalog, plan);
  return plan;
}

// Tables for all tenants were decided about in the rules.
void add_protection(sql::SchemaPlan protection, ConversionPlan& plan) {
  std::ranges::move(protection.steps, std::back_inserter(plan.plan.steps));
  std::erase_if(protection.findings, [&](const sql::SchemaFinding& finding) {
    return std::ranges::any_of(plan.classes, [&](const auto& table) {
      return table.second == TableClass::kGlobal &&
             finding.object == "table " + qualified_name(table.first).shown();
    });
  });
  append(plan.plan.findings, std::move(protection.findings));
}

// The state as it will be when the new schemas and tables are there.
void foresee_tables(const Catalog& wanted, const std::map<std::string, TableClass>& classes,
                    sql::SchemaState& state) {
  for (const std::string& schema : wanted.schemas) {
    const std::string name = qualified_name(schema).schema;
    if (std::ranges::count(state.namespaces, name, &sql::NamespaceState::name) == 0)
      state.namespaces.push_back({.name = name});
  }
  std::ranges::sort(state.namespaces, {}, &sql::NamespaceState::name);
  for (const Table& table : wanted.tables) {
    const sql::QualifiedName name = qualified_name(table.name);
    if (classes.at(table.name) != TableClass::kTenant) continue;
    const auto present = std::ranges::find(state.tables, name, &sql::TableState::name);
    if (present != state.tables.end()) continue;
    sql::TableState added;
    added.name = name;
    added.kind =
        table.partition_key.empty() ? sql::TableKind::kTable : sql::TableKind::kPartitioned;
    added.is_partition = !table.parent.empty();
    added.tenant_type = "uuid";
    state.tables.push_back(std::move(added));
  }
  std::ranges::sort(state.tables, {}, &sql::TableState::name);
}

Result<> check_nothing_is_left(Connection& target, const Conversion& conversion) {
  const auto now = read_target(target);
  if (!now) return std::unexpected(now.error());
  Difference difference;
  const auto left = steps_between(conversion, *now, difference);
  if (left.empty() && difference.refusals.empty()) return {};
  std::string what =
      left.empty() ? difference.refusals.front().object + ": " + difference.refusals.front().message
                   : left.front().sql;
  for (const std::string& notice : target.take_notices()) what += "\n  " + notice;
  return fail(ErrorKind::kInternal,
              "nothing was changed: after all steps the target is still not as it should be: {}",
              what);
}

}  // namespace

Result<Catalog> read_source(Connection& source) {
  if (auto fine = check_version(source, kOldestSource, "source"); !fine)
    return std::unexpected(fine.error());
  auto transaction = Transaction::begin(source, "ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  if (!transaction) return std::unexpected(transaction.error());
  const auto shared = source.execute("SELECT to_regnamespace('partywall') IS NOT NULL");
  if (!shared) return std::unexpected(shared.error());
  if (shared->is_true(0)) {
    return fail(ErrorKind::kInvalid,
                "database {} is shared among tenants already: the source must be one tenant's",
                source.database());
  }
  return read_catalog(source);
}

Result<ConversionPlan> plan_conversion(const Catalog& source, Connection& target,
                                       const ConvertSettings& settings) {
  if (auto fine = check_version(target, kOldestTarget, "target"); !fine)
    return std::unexpected(fine.error());
  auto transaction = Transaction::begin(target, "ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  if (!transaction) return std::unexpected(transaction.error());
  const auto present = read_target(target);
  if (!present) return std::unexpected(present.error());
  Conversion conversion = convert_catalog(source, settings.rules);
  const Catalog wanted = conversion.wanted;
  ConversionPlan plan = plan_steps(source, *present, std::move(conversion));
  sql::ProtectSettings protection = settings.protection;
  protection.tenant_column = settings.rules.tenant_column;
  const auto names = protection.slots.password.empty() ? std::vector<std::string>()
                                                       : sql::slot_names(protection.slots);
  auto state =
      sql::read_state(target, {.tenant_column = protection.tenant_column, .slot_roles = names});
  if (!state) return fail_with_context("reading the catalogs", state.error());
  foresee_tables(wanted, plan.classes, *state);
  add_protection(sql::plan_from(*state, protection), plan);
  return plan;
}

Result<ConversionPlan> convert_schema(const Catalog& source, Connection& target,
                                      const ConvertSettings& settings) {
  if (auto fine = check_version(target, kOldestTarget, "target"); !fine)
    return std::unexpected(fine.error());
  sql::ProtectSettings protection = settings.protection;
  protection.tenant_column = settings.rules.tenant_column;
  auto transaction = Transaction::begin(target, "READ WRITE");
  if (!transaction) return std::unexpected(transaction.error());
  if (auto begun = sql::begin_protection(target, protection); !begun)
    return std::unexpected(begun.error());
  const auto present = read_target(target);
  if (!present) return std::unexpected(present.error());
  const Conversion conversion = convert_catalog(source, settings.rules);
  ConversionPlan plan = plan_steps(source, *present, conversion);
  if (!plan.refusals.empty()) return plan;
  for (const sql::SchemaStep& step : plan.plan.steps) {
    if (auto done = sql::carry_out(target, step); !done) return std::unexpected(done.error());
  }
  auto protected_plan = sql::finish_protection(target, protection);
  if (!protected_plan) return std::unexpected(protected_plan.error());
  add_protection(*std::move(protected_plan), plan);
  if (auto complete = check_nothing_is_left(target, conversion); !complete)
    return std::unexpected(complete.error());
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  return plan;
}

}  // namespace partywall::migrate
