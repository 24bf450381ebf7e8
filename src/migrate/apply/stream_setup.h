#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engines/postgres.h"
#include "migrate/apply/publication_plan.h"
#include "migrate/apply/replication_slot.h"
#include "migrate/apply/stream_state.h"
#include "migrate/apply/stream_table.h"

// What a stream of changes needs at both ends before it can run.
namespace partywall::migrate {

// Whether the tenant's rows are in the target as far as its migration is to bring them.
enum class CopiedRows : uint8_t { kComplete, kUnderWay };

struct StreamSettings {
  std::string source;  // libpq connection strings
  std::string target;
  Uuid tenant;
  std::string tenant_column = "tenant_id";  // in whichever of the two is shared
  TableNames left_out;
  CopiedRows rows = CopiedRows::kComplete;
};

// What both databases say, and what follows from it.
struct StreamPlan {
  TenantColumns tenant;
  std::string name;          // of slot, publication and origin of this stream
  std::string reverse_name;  // of the one in the other direction
  StreamTables source_tables;
  StreamTables target_tables;
  PublicationPlan publication;
  TableBeginnings begins;  // of tables that were copied later than the stream begins
  int source_version = 0;  // 150004
};

// Reads both ends; changes nothing. kConflict: the tables do not fit, each with what to do; or the
// target says that the rows are still being copied, and `settings` do not.
[[nodiscard]] Result<StreamPlan> plan_stream(postgres::Connection& source,
                                             postgres::Connection& target,
                                             const StreamSettings& settings);

// The same for a stream that was prepared, before it is followed again: what was lost with the
// connection may have been more. kConflict: it cannot go on where it was.
[[nodiscard]] Result<StreamPlan> plan_resumption(postgres::Connection& source,
                                                 postgres::Connection& target,
                                                 const StreamSettings& settings);

struct Preparation {
  StreamStart start = StreamStart::kResume;
  std::optional<NewSlot> slot;  // of a new stream
};

// Of the source: those that have written, which a new slot waits for; the first ten, each in a few
// words. Of other users only where the user may see what they do.
[[nodiscard]] std::vector<std::string> open_transactions(postgres::Connection& source);

// Says what is waited for: `waiting` are the transactions of the source that must end before a slot
// is there, each in a few words. False: give up.
using OnWaiting = std::function<bool(const std::vector<std::string>& waiting)>;

// Makes publication, slot and origin where they are missing; safe to repeat, wherever it was
// stopped. When it returns, the target remembers durably where the stream begins.
[[nodiscard]] Result<Preparation> prepare_stream(postgres::Connection& source,
                                                 postgres::Connection& target,
                                                 const StreamSettings& settings,
                                                 const StreamPlan& plan,
                                                 const OnWaiting& on_waiting);

// Removes what prepare_stream made; what is not there is no failure. Returns what was removed.
// kConflict: the stream is running.
[[nodiscard]] Result<std::vector<std::string>> forget_stream(postgres::Connection& source,
                                                             postgres::Connection& target,
                                                             const Uuid& tenant);

}  // namespace partywall::migrate
