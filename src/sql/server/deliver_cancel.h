#pragma once

#include "net/loop.h"
#include "sql/wire/startup.h"

namespace partywall::sql {

// Sends a CancelRequest and waits until the server has closed the connection. By then it has
// signalled the backend, which may be used again: a cancel that arrives while it waits for a
// command has no effect. False: nobody knows whether it was delivered, or will be.
net::Task<bool> deliver_cancel(net::Loop& loop, Endpoint endpoint, CancelRequest key,
                               Duration timeout);

}  // namespace partywall::sql
