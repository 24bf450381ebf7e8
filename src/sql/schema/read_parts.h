#pragma once

#include <set>
#include <string>
#include <vector>

#include "engines/postgres.h"
#include "sql/schema/array_text.h"
#include "sql/schema/read_state.h"

// The parts of read_state; each is one or two queries.
namespace partywall::sql {

// Of pg_namespace n: schemas that are somebody's application. $1: the register's. That of
// migrations is closed to everybody (src/migrate/copy/progress.h).
inline constexpr std::string_view kApplicationSchemas =
    "n.nspname <> $1 AND n.nspname NOT IN ('information_schema', 'partywall_migration') AND "
    "n.nspname !~ '^pg_'";
// Of pg_class c.
inline constexpr std::string_view kNotOfAnExtension =
    "NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = "
    "c.oid AND e.deptype = 'e')";

postgres::PostgresResult<std::vector<NamespaceState>> read_namespaces(
    postgres::Connection& connection);
postgres::PostgresResult<std::vector<TableState>> read_tables(postgres::Connection& connection,
                                                              const std::string& tenant_column);
postgres::PostgresResult<std::vector<ViewState>> read_views(postgres::Connection& connection);

// Only superusers may read the verifiers of passwords.
enum class PasswordAccess { kReadable, kHidden };
postgres::PostgresResult<std::vector<SlotState>> read_slots(postgres::Connection& connection,
                                                            const std::vector<std::string>& names,
                                                            PasswordAccess access);

// Values of a result.
inline std::string text(const postgres::Rows& rows, size_t row, size_t column) {
  return std::string(rows.text(row, column));
}

inline std::vector<std::string> list(const postgres::Rows& rows, size_t row, size_t column) {
  return from_array_text(rows.text(row, column));
}

inline std::set<std::string> set_of(const postgres::Rows& rows, size_t row, size_t column) {
  const auto elements = list(rows, row, column);
  return {elements.begin(), elements.end()};
}

}  // namespace partywall::sql
