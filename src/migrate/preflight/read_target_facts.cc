#include <set>

#include "migrate/preflight/facts.h"
#include "migrate/schema/read_parts.h"
#include "sql/schema/read_parts.h"

namespace partywall::migrate {
namespace {

using postgres::Connection;
using postgres::PostgresResult;
using postgres::Rows;
using sql::text;

constexpr std::string_view kUser = R"(
SELECT current_database(), current_user, r.rolsuper OR r.rolbypassrls,
  r.rolsuper OR has_parameter_privilege('session_replication_role', 'SET'),
  coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'partywall_sequences'), true),
  has_database_privilege(current_database(), 'CREATE')
    OR coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'partywall_migration'), false)
FROM pg_roles r WHERE r.rolname = current_user)";

constexpr std::string_view kTables = R"(
SELECT format('%I.%I', n.nspname, c.relname), has_table_privilege(c.oid, 'SELECT') AND
  has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'DELETE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND )";

// To move one forward its numbers are held for a moment, which only its owner can do.
constexpr std::string_view kTargetSequences = R"(
SELECT format('%I.%I', n.nspname, c.relname), pg_has_role(c.relowner, 'USAGE') AND
  has_sequence_privilege(c.oid, 'SELECT') AND has_sequence_privilege(c.oid, 'UPDATE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND )";

constexpr std::string_view kFiring = R"(
SELECT format('%I on %I.%I', t.tgname, n.nspname, c.relname), format('%I.%I', n.nspname, c.relname)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled IN ('A', 'R') ORDER BY 1)";

PostgresResult<> read_user(Connection& target, TargetFacts& facts) {
  return for_each_row(target, std::string(kUser), [&](const Rows& rows, size_t i) {
    facts.database = text(rows, i, 0);
    facts.user = text(rows, i, 1);
    facts.passes_row_security = rows.is_true(i, 2);
    facts.may_load = rows.is_true(i, 3);
    facts.may_set_sequences = rows.is_true(i, 4);
    facts.may_note_progress = rows.is_true(i, 5);
  });
}

// Those that are there; others are a matter of the schema.
PostgresResult<std::set<std::string>> read_tables_of(Connection& target) {
  std::set<std::string> usable;
  auto read = for_each_row(target, std::string(kTables) + std::string(kApplicationSchema),
                           [&](const Rows& rows, size_t i) {
                             if (rows.is_true(i, 1)) usable.insert(text(rows, i, 0));
                           });
  if (!read) return std::unexpected(read.error());
  return usable;
}

PostgresResult<bool> is_there(Connection& target, const std::string& table) {
  const auto rows = target.execute("SELECT to_regclass($1) IS NOT NULL", {table});
  if (!rows) return std::unexpected(rows.error());
  return rows->is_true(0);
}

PostgresResult<bool> has_column(Connection& target, const std::string& table,
                                const std::string& column) {
  const auto rows = target.execute(
      "SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND quote_ident(attname) = $2 AND "
      "NOT attisdropped",
      {table, column});
  if (!rows) return std::unexpected(rows.error());
  return !rows->empty();
}

PostgresResult<bool> any_row(Connection& target, const std::string& query) {
  const auto rows = target.execute("SELECT EXISTS (" + query + ")");
  if (!rows) return std::unexpected(rows.error());
  return rows->is_true(0);
}

PostgresResult<> read_contents(Connection& target, const TargetScope& scope, TargetFacts& facts) {
  const auto usable = read_tables_of(target);
  if (!usable) return std::unexpected(usable.error());
  for (const Relation& relation : scope.relations) {
    const auto there = has_column(target, relation.name, scope.tenant_column);
    if (!there) return std::unexpected(there.error());
    if (!*there) continue;
    if (!usable->contains(relation.name)) {
      facts.unwritable.push_back(relation.name);
      continue;
    }
    if (!facts.passes_row_security) continue;  // it would see none
    const auto filled =
        any_row(target, fmt::format("SELECT FROM ONLY {} WHERE {} = {}::uuid", relation.name,
                                    scope.tenant_column,
                                    postgres::quote_literal(scope.tenant.to_string())));
    if (!filled) return std::unexpected(filled.error());
    if (*filled) facts.filled.push_back(relation.name);
  }
  return {};
}

PostgresResult<> read_global(Connection& target, const std::vector<std::string>& tables,
                             TargetFacts& facts) {
  for (const std::string& table : tables) {
    const auto there = is_there(target, table);
    if (!there) return std::unexpected(there.error());
    if (!*there) continue;
    const auto filled = any_row(target, "SELECT FROM " + table);
    if (!filled) return std::unexpected(filled.error());
    if (!*filled) facts.empty_global.push_back(table);
  }
  return {};
}

PostgresResult<> read_shared_sequences(Connection& target, const std::set<std::string>& shared,
                                       TargetFacts& facts) {
  return for_each_row(target, std::string(kTargetSequences) + std::string(kApplicationSchema),
                      [&](const Rows& rows, size_t i) {
                        const std::string name = text(rows, i, 0);
                        if (shared.contains(name) && !rows.is_true(i, 1))
                          facts.unmovable.push_back(name);
                      });
}

PostgresResult<> read_others_of(Connection& target, const std::vector<Relation>& relations,
                                TargetFacts& facts) {
  std::set<std::string> names;
  for (const Relation& relation : relations) names.insert(relation.name);
  auto read = for_each_row(target, std::string(kFiring), [&](const Rows& rows, size_t i) {
    if (names.contains(text(rows, i, 1))) facts.firing.push_back(text(rows, i, 0));
  });
  if (!read) return read;
  return for_each_row(target, "SELECT extname, extversion FROM pg_extension",
                      [&](const Rows& rows, size_t i) {
                        facts.extensions.emplace(text(rows, i, 0), text(rows, i, 1));
                      });
}

}  // namespace

Result<TargetFacts> read_target_facts(Connection& target, const TargetScope& scope) {
  TargetFacts facts;
  const auto read = [&]() -> PostgresResult<> {
    if (auto done = read_user(target, facts); !done) return done;
    if (auto done = read_contents(target, scope, facts); !done) return done;
    if (auto done = read_global(target, scope.global_tables, facts); !done) return done;
    if (auto done = read_shared_sequences(target, scope.shared_sequences, facts); !done)
      return done;
    return read_others_of(target, scope.relations, facts);
  }();
  if (!read) return fail_with_context("looking at the target", read.error());
  return facts;
}

}  // namespace partywall::migrate
