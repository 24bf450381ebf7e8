#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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
  };

  Kind kind = Kind::kOther;
  std::string text;  // for the client: without the tenant's prefix
};

// `frame` is a whole one. Nothing when it is not to be understood, or names a channel that does not
// begin with the prefix: then it is another tenant's, and must not be passed on.
std::optional<PushFrame> strip_push_frame(std::string_view frame, std::string_view prefix);

// What Redis says to a client that unsubscribes and is subscribed to nothing.
std::string unsubscribed_from_nothing(const Request& request, std::string_view command,
                                      Protocol protocol);

}  // namespace partywall::cache
