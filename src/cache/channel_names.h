#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/resp/request_parser.h"
#include "cache/resp/resp_writer.h"

// Channels are global in a Redis, whatever the database: every tenant's have its own prefix there.
namespace partywall::cache {

enum class Prefixed : uint8_t {
  kFirstArgument,  // PUBLISH channel message
  kAllArguments,   // SUBSCRIBE channel …
  kAfterFirst,     // PUBSUB NUMSUB channel …, PUBSUB CHANNELS pattern
};

// The request with the prefix before the arguments that are channels.
std::string with_channel_prefix(const Request& request, std::string_view prefix, Prefixed which);

// PUBSUB CHANNELS: an array of names; PUBSUB NUMSUB: names and numbers in turn. The replies without
// the prefix; nothing of what does not begin with it.
std::string channels_without_prefix(std::string_view reply, std::string_view prefix);
std::string channel_counts_without_prefix(std::string_view reply, std::string_view prefix);

}  // namespace partywall::cache
