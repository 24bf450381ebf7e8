#pragma once

#include <optional>
#include <string_view>

namespace partywall::cache {

// The channels of keyspace notifications: "__keyspace@0__:key", "__keyevent@0__:event", and as a
// pattern "__key*@0__:…", "__key…@*__:…", "__key*__:…".
struct KeyspaceChannel {
  std::string_view kind;      // "space", "event" or, in a pattern, "*"
  std::string_view database;  // as it stands behind the '@': "0", "*"; empty: there is no '@'
  std::string_view rest;      // behind "__:"
};

std::optional<KeyspaceChannel> parse_keyspace_channel(std::string_view name);

}  // namespace partywall::cache
