#pragma once

#include "net/task.h"
#include "sql/door/client_login.h"

namespace partywall::sql {

class DoorWorker;

// Serves an operator of this node: docs/sql-door.md, "Console".
net::Task<> serve_console(DoorWorker& worker, AdmittedClient client);

}  // namespace partywall::sql
