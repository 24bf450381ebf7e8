#pragma once

#include <string>

#include "admin/message.h"

namespace partywall::admin {

struct Framing {
  bool with_body = true;    // false: the answer to HEAD
  bool keep_alive = false;  // the connection may carry another request
};

// The head of the response; with its body, unless that is a stream (which is chunked) or left out.
std::string to_wire(const Response& response, const Framing& framing);

}  // namespace partywall::admin
