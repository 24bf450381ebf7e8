#pragma once

#include <string>
#include <vector>

#include "engines/postgres.h"
#include "sql/schema/state.h"

namespace partywall::sql {

struct ReadStateSettings {
  std::string tenant_column;
  std::vector<std::string>
      slot_roles;  // by name; those that do not exist are left out of the state
};

// Reads the catalogs with search_path = pg_catalog, which the open transaction keeps. Needs no
// rights but to connect; what only a superuser may see (verifiers of passwords) is left out
// otherwise.
postgres::PostgresResult<SchemaState> read_state(postgres::Connection& connection,
                                                 const ReadStateSettings& settings);

}  // namespace partywall::sql
