#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "engines/postgres.h"
#include "migrate/apply/stream_table.h"
#include "migrate/database_identity.h"

// What the target notes of a migration whose source is in use while it goes on: where the stream of
// changes and the copied rows fit together, and how far both have been brought. In the schema
// partywall_migration, beside the progress of the copy.
namespace partywall::migrate {

// The last that was noted; what is not known yet is nothing, or "".
struct StreamNote {
  std::optional<Lsn> begins;   // from there on the stream has every change
  std::optional<Lsn> applied;  // every change before it is in the target
  std::optional<Lsn> source;   // where the source's log was then
  std::optional<double> lag_ms;
  std::string noted_at;         // as PostgreSQL shows it, UTC
  std::optional<Lsn> verified;  // both databases were equal there
  std::string verified_at;
  std::optional<double> held_ms;  // how long the stream was held for that

  [[nodiscard]] uint64_t lag_bytes() const {
    return applied && source && *source > *applied ? source->value - applied->value : 0;
  }
};

// Where the stream begins: the rows are copied as the source was there. What was noted of relations
// was of an earlier stream, and is forgotten.
Result<> note_stream_begins(postgres::Connection& target, const Uuid& tenant, Lsn place);
// There is no such stream any more: the next may be of another source, whose log has other places.
Result<> forget_beginnings(postgres::Connection& target, const Uuid& tenant);
// Does not wait for the target's disk.
Result<> note_stream_applied(postgres::Connection& target, const Uuid& tenant, Lsn applied,
                             Lsn source, double lag_ms);
// With the state kVerified, in one transaction.
Result<> note_stream_verified(postgres::Connection& target, const Uuid& tenant, Lsn place,
                              double held_ms);
// Nothing: the migration is not of a source in use.
Result<std::optional<StreamNote>> read_stream_note(postgres::Connection& target,
                                                   const Uuid& tenant);

// Of relations that were copied as the source was later than where the stream begins.
Result<> note_relation_begins(postgres::Connection& target, const Uuid& tenant,
                              const std::string& relation, Lsn place);
// It is copied as the source was where the stream begins.
Result<> delete_relation_begins(postgres::Connection& target, const Uuid& tenant,
                                const std::string& relation);
// Of the stream from `source`, and none that was noted of another.
// kConflict while rows of the tenant are being copied: changes must wait until they are there.
// `target` may have no such schema.
Result<TableBeginnings> read_beginnings(postgres::Connection& target, const Uuid& tenant,
                                        const DatabaseIdentity& source);
// The same without that condition.
Result<TableBeginnings> read_beginnings_so_far(postgres::Connection& target, const Uuid& tenant,
                                               const DatabaseIdentity& source);

}  // namespace partywall::migrate
