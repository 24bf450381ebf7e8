#include "cache/keyspace_channel.h"

namespace partywall::cache {

std::optional<KeyspaceChannel> parse_keyspace_channel(std::string_view name) {
  constexpr std::string_view kBegin = "__key";
  constexpr std::string_view kEnd = "__:";
  if (!name.starts_with(kBegin)) return std::nullopt;
  name.remove_prefix(kBegin.size());
  KeyspaceChannel channel;
  for (const std::string_view kind : {"space", "event", "*"}) {
    if (name.starts_with(kind)) channel.kind = name.substr(0, kind.size());
  }
  if (channel.kind.empty()) return std::nullopt;
  name.remove_prefix(channel.kind.size());
  const size_t end = name.find(kEnd);
  if (end == std::string_view::npos) return std::nullopt;
  channel.rest = name.substr(end + kEnd.size());
  name = name.substr(0, end);
  if (name.empty()) return channel.kind == "*" ? std::optional(channel) : std::nullopt;
  // "[@]" is how the door asks Redis for what a client has written without a database.
  if (!name.starts_with('@') && !name.starts_with("[@]")) return std::nullopt;
  channel.database = name.substr(name.starts_with('@') ? 1 : 0);
  return channel.database.empty() ? std::nullopt : std::optional(channel);
}

}  // namespace partywall::cache
