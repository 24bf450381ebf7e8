#include "admin/response_writer.h"

#include <fmt/format.h>

namespace partywall::admin {

std::string to_wire(const Response& response, const Framing& framing) {
  std::string wire = fmt::format(
      "HTTP/1.1 {} {}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
      "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n",
      response.status, reason_phrase(response.status));
  if (response.stream) {
    wire += "Transfer-Encoding: chunked\r\n";
  } else if (response.status != 204) {
    wire += fmt::format("Content-Length: {}\r\n", response.body.size());
  }
  if (response.status != 204) wire += fmt::format("Content-Type: {}\r\n", response.content_type);
  for (const auto& [name, value] : response.headers) wire += fmt::format("{}: {}\r\n", name, value);
  if (!framing.keep_alive) wire += "Connection: close\r\n";
  wire += "\r\n";
  if (framing.with_body && !response.stream) wire += response.body;
  return wire;
}

}  // namespace partywall::admin
