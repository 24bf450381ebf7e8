#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "engines/postgres.h"

// Foreign keys of the application's tables whose rows refer to nothing: rows may have been written
// without asking them.
namespace partywall::migrate {

struct BrokenReference {
  std::string constraint;  // "film_language_id_fkey on public.film"
  uint64_t rows = 0;       // that refer to nothing
};

// Among a tenant's rows. Keys that are NOT VALID promise nothing and are left out.
Result<std::vector<BrokenReference>> find_broken_references(postgres::Connection& target,
                                                            const Uuid& tenant,
                                                            const std::string& tenant_column);

// Among all rows, of the keys that are NOT VALID.
postgres::PostgresResult<std::vector<BrokenReference>> find_unvalidated_orphans(
    postgres::Connection& source);

}  // namespace partywall::migrate
