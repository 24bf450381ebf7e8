#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/uuid.h"
#include "engines/postgres.h"
#include "migrate/copy/progress.h"
#include "migrate/copy/relation.h"

namespace partywall::migrate {

// What a chunk is copied with, and for whom.
struct ChunkCopy {
  postgres::Connection& source;  // in a transaction that sees the snapshot
  postgres::Connection& target;  // a loader, in no transaction
  Uuid tenant;
  std::string tenant_column;
  size_t piece_bytes = 0;  // rows are sent on when so many bytes have come together
  // After so many rows and bytes more were sent; may wait.
  std::function<void(uint64_t rows, uint64_t bytes)> moved;
};

// Copies the rows of a chunk and notes that they are there, in one transaction of the target.
// After a failure neither connection is of use, and the target is as it was, or, if the connection
// was lost at the COMMIT, has the whole chunk and its note. kDone: it was there already.
postgres::PostgresResult<Claim> copy_chunk(const ChunkCopy& copy, const Relation& relation,
                                           const Chunk& chunk);

}  // namespace partywall::migrate
