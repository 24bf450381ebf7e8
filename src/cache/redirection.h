#pragma once

#include <optional>
#include <string_view>

#include "base/endpoint.h"
#include "cache/slot_map.h"

namespace partywall::cache {

// What a node of a cluster answers instead of carrying a request out: another one has the slot, or
// has this key while the slot moves. https://redis.io/docs/reference/cluster-spec
struct Redirection {
  enum class Kind { kMoved, kAsk };
  Kind kind = Kind::kMoved;
  Endpoint node;
};

// "-MOVED 3999 127.0.0.1:6381\r\n", "-ASK …"; `asked`: who said it, for an address that is left
// empty. Nothing for any other reply.
std::optional<Redirection> parse_redirection(std::string_view reply, const Endpoint& asked);

}  // namespace partywall::cache
