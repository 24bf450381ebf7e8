#pragma once

#include "migrate/run/coordinator.h"
#include "migrate/run/online_task.h"

namespace partywall::migrate {

// Whether a move can begin; changes nothing. kConflict: changes of a table cannot be followed.
Result<> check_online(const OnlineParts& parts, postgres::Connection& target);

enum class CopyEnd : uint8_t {
  kComplete,
  kStopped,  // while a transaction of the source was waited for
};

// Makes the stream of changes and copies the rows as the source was where it begins; or the rest of
// them, as the source is at a later place, which is noted for each relation.
Result<CopyEnd> copy_online(const OnlineParts& parts, const MigrationRecord& record,
                            Coordinator& coordinator);

}  // namespace partywall::migrate
