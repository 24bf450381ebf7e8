#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "engines/postgres.h"
#include "migrate/apply/lsn.h"
#include "migrate/copy/relation.h"
#include "migrate/copy/row_sum.h"

// How far the move of a tenant has come, in the target database, schema partywall_migration: a
// chunk and the note that it is there are one transaction, so that it is copied once whatever dies.
// Nobody but the schema's owner has rights on it.
namespace partywall::migrate {

// In this order; a copy that differs is copied again in part or discarded.
enum class MigrationState : uint8_t {
  kCopying,     // some chunks are there
  kCopied,      // all are, and the sequences go on where the source's are
  kCatchingUp,  // of a source in use: all are, and its changes are followed
  kVerified,    // both databases were compared, and were equal
};

[[nodiscard]] std::string_view to_string(MigrationState state);

struct MigrationRecord {
  Uuid tenant;
  std::string slug;
  // Which database it is, whatever it is called: system identifier, name and number.
  std::string source;
  std::string fingerprint;  // of the source's schema
  std::string tenant_column;
  MigrationState state = MigrationState::kCopying;
  bool is_online = false;  // the source is in use meanwhile: stream_progress.h
  std::string begun_at;    // as PostgreSQL shows it, UTC; filled when it is read
  std::string changed_at;  // of the state
};

struct RelationProgress {
  std::string relation;
  std::string format;  // "binary", "text"
  uint32_t filenode = 0;
  uint64_t blocks = 0;
  uint32_t chunks = 0;
  uint32_t chunks_done = 0;
  RowSum sum;          // of what is done
  uint64_t bytes = 0;  // as sent to the target
};

// Makes the schema if it is not there, and closes it to all but its owner. kConflict if somebody
// keeps it locked, kInvalid if it is another role's.
Result<> create_progress_schema(postgres::Connection& target);

// Nothing if there is no such migration, or no schema. kInvalid if the schema belongs to a role
// that has no BYPASSRLS and is not the user: it may be a tenant's.
Result<std::optional<MigrationRecord>> read_migration(postgres::Connection& target,
                                                      const Uuid& tenant);
// kConflict if there is one already.
Result<> begin_migration(postgres::Connection& target, const MigrationRecord& record,
                         const std::vector<Relation>& relations, uint64_t blocks_per_chunk);
Result<> set_state(postgres::Connection& target, const Uuid& tenant, MigrationState state);

Result<std::vector<RelationProgress>> read_progress(postgres::Connection& target,
                                                    const Uuid& tenant);
// In the order in which they are copied.
Result<std::vector<Chunk>> read_pending_chunks(postgres::Connection& target, const Uuid& tenant);

// Within the chunk's transaction: kTaken until its end, or kDone if it was copied before. Waits for
// a transaction of a process that was killed, whose COMMIT may still be on its way.
enum class Claim : uint8_t { kTaken, kDone };
Result<Claim> claim_chunk(postgres::Connection& target, const Uuid& tenant, const Chunk& chunk);
// Within the same transaction.
Result<> note_chunk(postgres::Connection& target, const Uuid& tenant, const Chunk& chunk,
                    const RowSum& sum, uint64_t bytes);

// Deletes the tenant's rows of a relation and plans its chunks anew, in one transaction. `begins`:
// where the source is as it is copied then, if it is in use.
Result<> restart_relation(postgres::Connection& target, const MigrationRecord& migration,
                          const Relation& relation, uint64_t blocks_per_chunk,
                          std::optional<Lsn> begins = std::nullopt);
// Deletes the tenant's rows of all relations that it noted, and the migration itself.
Result<> discard_migration(postgres::Connection& target, const MigrationRecord& migration);

}  // namespace partywall::migrate
