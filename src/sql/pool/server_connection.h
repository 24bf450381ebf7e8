#pragma once

#include <cstdint>
#include <memory>

#include "base/byte_buffer.h"
#include "base/endpoint.h"
#include "net/event.h"
#include "net/stream.h"
#include "sql/server/server_fsm.h"
#include "sql/wire/outbox.h"

namespace partywall::sql {

// One connection to PostgreSQL, logged in. Lent to one session at a time.
struct ServerConnection {
  ServerConnection(std::unique_ptr<net::Stream> connected, ServerInfo info, Random& random,
                   size_t max_statements, Endpoint server)
      : stream(std::move(connected)),
        fsm(std::move(info), random, max_statements),
        endpoint(std::move(server)) {}

  std::unique_ptr<net::Stream> stream;
  ServerFsm fsm;
  Outbox out;
  ByteBuffer carry;  // what came and is not taken yet
  Endpoint endpoint;
  uint32_t slot = 0;
  uint32_t cancels_under_way = 0;  // it goes to nobody else before they have ended
  net::EventLink cancels_ended;    // set when the last one has
  bool is_parked = false;          // given back, and only waits for that
  bool is_doomed = false;          // not to be used again
  bool is_retired = false;         // to be closed once nobody has it (RECONNECT)

  [[nodiscard]] bool is_usable() const {
    return !is_doomed && fsm.tenancy().state() != TenancyState::kBroken;
  }
};

}  // namespace partywall::sql
