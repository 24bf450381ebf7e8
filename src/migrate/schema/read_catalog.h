#pragma once

#include "engines/postgres.h"
#include "migrate/schema/catalog.h"

namespace partywall::migrate {

inline constexpr int kOldestSource = 130000;  // regcollation; newer columns are read as JSON
inline constexpr int kOldestTarget = 150000;  // the tenant register; SET NULL with columns

// Reads the catalogs in the transaction that is open (REPEATABLE READ for a consistent picture),
// with search_path = pg_catalog, which that transaction keeps. Needs no rights but to connect.
// Left out: what belongs to extensions, and Partywall's own schemas.
Result<Catalog> read_catalog(postgres::Connection& connection);

}  // namespace partywall::migrate
