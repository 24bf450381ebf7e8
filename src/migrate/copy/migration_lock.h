#pragma once

#include <string>

#include "base/uuid.h"
#include "engines/postgres.h"

// Keeps migrations into one target apart, by what nobody but the owner of the schema
// partywall_migration can take: an advisory lock could be taken by every role of the database, a
// tenant's too. Nobody waits without end, and whoever holds it is named.
namespace partywall::migrate {

// Of the session, until its server process ends. kConflict if another one has it. Makes the
// schema of the progress where it is missing; a user who may not make it locks nothing, because
// nothing can be begun either.
Result<> lock_tenant(postgres::Connection& target, const Uuid& tenant);

// The statement that locks the making of the progress' schema, until the transaction's end. It
// fails with lock_not_available (55P03) after 10 seconds. There is nothing to lock before there is
// a schema: two that make it at once collide in the catalogs, and the later one begins anew.
[[nodiscard]] std::string lock_schema_statement();

// Who holds that lock: "process 4711 of user clerk"; "a process that has ended" if nobody does now.
Result<std::string> schema_lock_holders(postgres::Connection& target);

// Whether the schema is there; kInvalid if it belongs to somebody who is not to be trusted with it.
Result<bool> has_own_schema(postgres::Connection& target);

}  // namespace partywall::migrate
