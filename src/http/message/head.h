#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/message/field.h"

namespace partywall::http {

// Of HTTP/1.x: everything else is refused.
enum class Version : uint8_t { kHttp10, kHttp11 };

struct HeadLimits {
  size_t max_bytes = 16 * 1024;  // the whole head
  size_t max_fields = 100;
  size_t max_target_bytes = 8 * 1024;  // of a request
};

// What is wrong with a message: the status it deserves as a request, and words for the peer. Of a
// response, any fault is a 502.
struct Fault {
  uint16_t status = 0;
  std::string_view reason;
};

enum class ParseStatus : uint8_t { kNeedMore, kComplete, kInvalid };

// The parts of a request's head, as views into the bytes that were parsed. Meant to be reused: the
// fields keep their memory.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  Version version = Version::kHttp11;
  Fields fields;
  size_t size_bytes = 0;  // with the empty line at its end
};

struct ResponseHead {
  Version version = Version::kHttp11;
  uint16_t status = 0;
  std::string_view reason;
  Fields fields;
  size_t size_bytes = 0;
};

struct ParseOutcome {
  ParseStatus status = ParseStatus::kNeedMore;
  Fault fault;  // kInvalid

  static constexpr ParseOutcome complete() { return {ParseStatus::kComplete, {}}; }
  static constexpr ParseOutcome need_more() { return {}; }
  static constexpr ParseOutcome invalid(std::string_view reason, uint16_t status = 400) {
    return {ParseStatus::kInvalid, {status, reason}};
  }
};

// Parses a head from the first byte of `bytes` on, strictly by RFC 9112: CRLF only, no folding, no
// blank before a colon. kNeedMore costs nothing to remember: call again with more bytes from the
// same first byte (only useful once another line has ended). The result is written to `head`, which
// is unspecified unless complete.
ParseOutcome parse_request_head(std::string_view bytes, const HeadLimits& limits,
                                RequestHead& head);
ParseOutcome parse_response_head(std::string_view bytes, const HeadLimits& limits,
                                 ResponseHead& head);

// The fields of a trailer section, up to and with its empty line.
ParseOutcome parse_trailers(std::string_view bytes, const HeadLimits& limits, Fields& fields,
                            size_t& size_bytes);

}  // namespace partywall::http
