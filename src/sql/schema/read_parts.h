#pragma once

#include <set>
#include <string>
#include <vector>

#include "engines/postgres.h"
#include "sql/schema/array_text.h"
#include "sql/schema/read_state.h"

// The parts of read_state; each is one or two queries.
namespace partywall::sql {

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
