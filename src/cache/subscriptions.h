#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "cache/resp/request_parser.h"

namespace partywall::cache {

// What a session has subscribed to, as far as it has asked for it: from this follows how many
// confirmations are still to come, and when it is free for other commands again.
class Subscriptions {
 public:
  // Channels, patterns and shard channels have nothing to do with each other.
  enum class Family : uint8_t { kChannels, kPatterns, kShardChannels };

  // How many confirmations Redis will send.
  size_t subscribe(Family family, const Request& request);
  // Without arguments it is all of the family.
  size_t unsubscribe(Family family, const Request& request);
  void clear() { names_ = {}; }

  [[nodiscard]] size_t count() const;
  [[nodiscard]] bool has(std::string_view channel) const {
    return names_[0].contains(std::string(channel));
  }
  [[nodiscard]] const std::set<std::string>& names(Family family) const {
    return names_[static_cast<size_t>(family)];
  }
  [[nodiscard]] size_t patterns() const { return names_[1].size(); }
  [[nodiscard]] bool empty() const { return count() == 0; }

 private:
  std::array<std::set<std::string>, 3> names_;
};

// Of a command by its lower-case name: "psubscribe", "unsubscribe" …
Subscriptions::Family subscription_family(std::string_view command);

}  // namespace partywall::cache
