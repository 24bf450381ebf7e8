#pragma once

#include <string>

#include "base/uuid.h"
#include "engines/postgres.h"

// Keeps migrations into one target apart. Advisory locks may be taken by every role of a database,
// a tenant's too: so nobody waits for one without end, and whoever holds it is named.
namespace partywall::migrate {

// Of the session, until it ends. kConflict if another one has it.
Result<> lock_tenant(postgres::Connection& target, const Uuid& tenant);

// The statement that locks the making of the progress' schema, until the transaction's end. It
// fails with lock_not_available (55P03) after 10 seconds.
[[nodiscard]] std::string lock_schema_statement();

// Who holds that lock: "process 4711 of user clerk"; "a process that has ended" if nobody does now.
Result<std::string> schema_lock_holders(postgres::Connection& target);

}  // namespace partywall::migrate
