#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

// One outgoing HTTP exchange, as data.
namespace partywall::fetch {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string url;  // http:// or https://
  Headers headers{};
  std::string body{};
  std::string unix_socket{};                    // set: connect there instead of the URL's host
  Duration connect_timeout = seconds(5);        // at least 1 ms
  Duration timeout = seconds(30);               // of the whole exchange; at least 1 ms
  size_t max_response_bytes = size_t{8} << 20;  // of the body; a longer one is a failure
};

struct Response {
  int status = 0;
  Headers headers;  // in the order received
  std::string body{};

  // The first header of that name (any case).
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

// Reads one header line as libcurl hands it over ("Name: value\r\n"); nothing for the status line
// and the empty line at the end.
std::optional<std::pair<std::string, std::string>> parse_header_line(std::string_view line);

}  // namespace partywall::fetch
