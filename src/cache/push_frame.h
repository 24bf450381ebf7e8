#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cache/channel_names.h"
#include "cache/resp/request_parser.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {

// What a subscriber connection receives: "message", "pmessage", "subscribe" and the like, an array
// in RESP2 and a push in RESP3.
struct PushFrame {
  enum class Kind : uint8_t {
    kMessage,       // of a channel, a shard channel or a pattern
    kConfirmation,  // of subscribing or unsubscribing
    kOther,         // PONG, an error
    kForeign,       // a message that a pattern has matched and is not the tenant's
  };

  Kind kind = Kind::kOther;
  std::string text;          // for the client, with the names that it knows
  size_t channel_begin = 0;  // of a message, within the text
  size_t channel_length = 0;

  [[nodiscard]] std::string_view channel() const {
    return std::string_view(text).substr(channel_begin, channel_length);
  }
};

// `frame` is a whole one. Nothing when it is not to be understood, or names a channel that is not
// the tenant's and cannot have come by a pattern.
std::optional<PushFrame> read_push_frame(std::string_view frame, const ChannelNames& names);

// What Redis says to a client that unsubscribes and is subscribed to nothing.
std::string unsubscribed_from_nothing(const Request& request, std::string_view command,
                                      Protocol protocol);

}  // namespace partywall::cache
