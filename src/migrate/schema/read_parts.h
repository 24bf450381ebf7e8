#pragma once

#include <string>
#include <string_view>

#include "engines/postgres.h"
#include "migrate/schema/catalog.h"

// The parts of read_catalog, each a few queries.
namespace partywall::migrate {

// Of pg_namespace n.
inline constexpr std::string_view kApplicationSchema =
    "n.nspname NOT IN ('information_schema', 'partywall', 'partywall_sequences', "
    "'partywall_migration') AND n.nspname !~ '^pg_'";

// A condition: the object of this catalog belongs to no extension.
[[nodiscard]] inline std::string own(std::string_view catalog, std::string_view oid) {
  return fmt::format(
      "NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{}'::regclass AND e.objid = {} AND "
      "e.deptype = 'e')",
      catalog, oid);
}

// Calls `take(rows, row)` for each row of the answer.
template <class Take>
postgres::PostgresResult<> for_each_row(postgres::Connection& connection, const std::string& query,
                                        const Take& take) {
  const auto rows = connection.execute(query);
  if (!rows) return std::unexpected(rows.error());
  for (size_t row = 0; row < rows->size(); ++row) take(*rows, row);
  return {};
}

postgres::PostgresResult<> read_types(postgres::Connection& connection, Catalog& catalog);
postgres::PostgresResult<> read_routines(postgres::Connection& connection, Catalog& catalog);
postgres::PostgresResult<> read_sequences(postgres::Connection& connection, Catalog& catalog);
// Tables with their columns, constraints and indexes.
postgres::PostgresResult<> read_tables(postgres::Connection& connection, Catalog& catalog);
postgres::PostgresResult<> read_views(postgres::Connection& connection, Catalog& catalog);
// Of tables and views, which must have been read.
postgres::PostgresResult<> read_triggers(postgres::Connection& connection, Catalog& catalog);
postgres::PostgresResult<> read_comments(postgres::Connection& connection, Catalog& catalog);
postgres::PostgresResult<> read_grants(postgres::Connection& connection, Catalog& catalog);
postgres::PostgresResult<> read_others(postgres::Connection& connection, Catalog& catalog);

}  // namespace partywall::migrate
