#pragma once

#include <memory>
#include <optional>

#include "base/endpoint.h"
#include "net/loop.h"
#include "net/stream.h"
#include "sql/server/server_login_fsm.h"

namespace partywall::sql {

struct OpenedServer {
  std::unique_ptr<net::Stream> stream;
  ServerInfo info;
  std::optional<ScramClientKeys> keys;  // to be cached
};

// Connects to PostgreSQL and logs in.
net::Task<Result<OpenedServer>> open_server(net::Loop& loop, Endpoint endpoint, ServerLogin login,
                                            std::optional<ScramClientKeys> cached_keys,
                                            Random& random, MonotonicTime deadline);

}  // namespace partywall::sql
