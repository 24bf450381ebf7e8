#pragma once

#include <cstdint>
#include <string>

namespace partywall {

// Where something listens: a numeric IP address and a port, or the path of a unix socket (then
// address starts with '/' and port is 0). Plain data: no name is ever looked up.
struct Endpoint {
  std::string address;
  uint16_t port = 0;

  [[nodiscard]] bool is_unix() const { return address.starts_with('/'); }
  [[nodiscard]] std::string to_string() const;  // "127.0.0.1:80", "[::1]:80", "/run/x.sock"
  bool operator==(const Endpoint&) const = default;
};

}  // namespace partywall
