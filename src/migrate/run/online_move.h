#pragma once

#include "migrate/run/online_task.h"

// A tenant's rows from a database of its own into the shared one while its application goes on: the
// copy, the stream of changes, and the comparison of both at one place of the source's log.
// docs/migrate.md has the states and what follows from each failure.
namespace partywall::migrate {

// Only one at a time for a tenant: kConflict. Fails with what was done kept; calling it again
// continues. The outcome kVerified may be followed by changes that nobody has compared.
Result<MigrationResult> move_online(const OnlineParts& parts);

}  // namespace partywall::migrate
