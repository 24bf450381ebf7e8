#pragma once

#include "engines/postgres.h"
#include "migrate/copy/relation.h"
#include "migrate/copy/row_sum.h"

namespace partywall::migrate {

// The sum that copying the whole relation now would note: another one than was noted says that the
// source has changed since.
Result<RowSum> read_source_sum(postgres::Connection& source, const Relation& relation);

}  // namespace partywall::migrate
