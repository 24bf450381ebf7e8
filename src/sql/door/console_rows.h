#pragma once

#include "net/task.h"
#include "sql/console/console_view.h"

namespace partywall::sql {

class DoorWorker;

// The rows of a view, of all workers of the door; on the thread of `here`.
net::Task<ConsoleRows> collect_rows(DoorWorker& here, ConsoleView view);

}  // namespace partywall::sql
