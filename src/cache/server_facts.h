#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace partywall::cache {

// What the door has learnt about a Redis while it opened a connection, for its own INFO.
struct ServerFacts {
  std::string version;          // "7.0.15"
  std::string eviction_policy;  // "noeviction"

  uint64_t connection_id = 0;  // what Redis calls the connection (CLIENT ID); 0: not known

  // Takes what is in an INFO reply, or in an integer, leaves the rest as it is.
  void learn(std::string_view info);
};

}  // namespace partywall::cache
