#pragma once

#include <cstdint>

#include "base/result.h"

namespace partywall::fleet {

// A TCP port on 127.0.0.1 at which nobody listens now, from outside the range that the kernel gives
// to outgoing connections: those would take it at any moment. Another server may still do so before
// the instance does: then that ends with an error and is started again with another port.
Result<uint16_t> find_free_loopback_port();

// Could an instance listen at this port now?
[[nodiscard]] bool is_free_loopback_port(uint16_t port);

}  // namespace partywall::fleet
