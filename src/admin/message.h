#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace partywall::admin {

// What a handler is given; views that live until it returns.
struct Request {
  std::string_view method;
  std::string_view path;   // decoded, without the query
  std::string_view query;  // as written, without '?'
  std::string_view body;
};

struct Response {
  uint16_t status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;  // value of Allow, with 405
};

// RFC 9457: what happened, for programs (status, title) and people (detail).
Response problem(uint16_t status, std::string_view title, std::string_view detail);

}  // namespace partywall::admin
