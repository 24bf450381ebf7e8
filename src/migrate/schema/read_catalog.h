#pragma once

#include "engines/postgres.h"
#include "migrate/schema/catalog.h"

namespace partywall::migrate {

inline constexpr int kOldestSource = 120000;  // generated columns
inline constexpr int kOldestTarget = 150000;  // the tenant register; SET NULL with columns

// Reads the catalogs in the transaction that is open (REPEATABLE READ for a consistent picture),
// with search_path = pg_catalog, which that transaction keeps. Needs no rights but to connect.
// Left out: what belongs to extensions, and Partywall's own schemas.
Result<Catalog> read_catalog(postgres::Connection& connection);

}  // namespace partywall::migrate
