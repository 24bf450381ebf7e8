#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engines/postgres.h"
#include "migrate/copy/relation.h"
#include "migrate/verify/row_differences.h"
#include "migrate/verify/table_digest.h"

// Reads the rows of one side of a comparison.
namespace partywall::migrate {

// Which rows of a relation: all, or those of a tenant.
struct RowFilter {
  std::string tenant_column;  // empty: all
  std::string tenant;
};

// In both, the key's columns come first and those whose image says something else in another
// database are compared as text.
[[nodiscard]] std::string digest_statement(const Relation& relation, const RowFilter& filter);
// With the key as text, or the whole row where there is none, in front.
[[nodiscard]] std::string rows_statement(const Relation& relation, const RowFilter& filter);

// `connection` is in a transaction that sees what is compared. kTimeout: `stop` was requested; then
// the connection is of no more use.
Result<TableDigest> read_digest(postgres::Connection& connection, const Relation& relation,
                                const RowFilter& filter, const std::stop_token& stop);

// The rows in `buckets`, which are in order.
Result<KeyedRows> read_rows(postgres::Connection& connection, const Relation& relation,
                            const RowFilter& filter, const std::vector<size_t>& buckets,
                            const std::stop_token& stop);

}  // namespace partywall::migrate
