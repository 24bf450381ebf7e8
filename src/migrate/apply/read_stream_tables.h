#pragma once

#include "engines/postgres.h"
#include "migrate/apply/stream_table.h"

namespace partywall::migrate {

// All tables of the application in one consistent picture, in a transaction of its own.
[[nodiscard]] Result<StreamTables> read_stream_tables(postgres::Connection& connection);

// Their names alone. The connection's search_path must be pg_catalog.
[[nodiscard]] Result<TableRoots> read_table_roots(postgres::Connection& connection);

// What was put into the publication: tables, without the partitions that come with them.
[[nodiscard]] Result<TableNames> read_published_tables(postgres::Connection& connection,
                                                       const std::string& publication);

// Whether the database is one that tenants share: it has the tenant register.
[[nodiscard]] Result<bool> is_shared(postgres::Connection& connection);

}  // namespace partywall::migrate
