#pragma once

#include "net/task.h"
#include "sql/door/client_login.h"

namespace partywall::sql {

class DoorWorker;

// Serves a migration login: session pooling with a server connection of the client's own, as the
// owner of the tables, whose bytes pass unread. No tenant is entered: row-level security is forced
// on the owner too, so tenants' rows stay out of reach.
net::Task<> serve_migration(DoorWorker& worker, AdmittedClient client);

}  // namespace partywall::sql
