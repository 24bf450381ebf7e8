#pragma once

#include <cstdint>
#include <string_view>

#include "http/message/head.h"

namespace partywall::http {

enum class FramingKind : uint8_t {
  kNone,        // no body
  kLength,      // Content-Length
  kChunked,     // Transfer-Encoding: chunked
  kUntilClose,  // a response that ends with its connection
  kTunnel,      // after 101: no message any more
};

// How the body of a message is delimited (RFC 9112 section 6).
struct Framing {
  FramingKind kind = FramingKind::kNone;
  uint64_t length_bytes = 0;  // kLength

  bool operator==(const Framing&) const = default;
};

// What the fields of a request say about the message and the connection.
struct RequestControl {
  Framing framing;
  std::string_view host;    // Host, or the authority of an absolute target
  bool keep_alive = false;  // the client would send another request on the connection
  bool expects_continue = false;
  bool wants_websocket = false;  // Upgrade: websocket, in Connection too
  bool names_fields = false;     // Connection nominates fields: those go no further
};

// kInvalid for everything that two servers might understand differently. `authority` comes from an
// absolute target, else it is empty.
ParseOutcome read_request_control(const RequestHead& head, std::string_view authority,
                                  RequestControl& control);

struct ResponseControl {
  Framing framing;
  bool keep_alive = false;  // the server would take another request on the connection
  bool switches_to_websocket = false;
  bool names_fields = false;
};

// `method` is the request's: the answer to HEAD has no body.
ParseOutcome read_response_control(const ResponseHead& head, std::string_view method,
                                   ResponseControl& control);

// Is the field named by a Connection field of this message? Only needed where names_fields is set.
bool is_nominated(const Fields& fields, std::string_view name);

}  // namespace partywall::http
