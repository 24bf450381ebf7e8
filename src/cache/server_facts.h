#pragma once

#include <string>
#include <string_view>

namespace partywall::cache {

// What the door has learnt about a Redis while it opened a connection, for its own INFO.
struct ServerFacts {
  std::string version;          // "7.0.15"
  std::string eviction_policy;  // "noeviction"

  // Takes what is in the text of an INFO reply, leaves the rest as it is.
  void learn(std::string_view info);
};

}  // namespace partywall::cache
