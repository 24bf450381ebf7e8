#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/stream.h"

namespace partywall::http {

// A block of addresses, "10.0.0.0/8", "2001:db8::/32" or a single address.
class AddressBlock {
 public:
  static Result<AddressBlock> parse(std::string_view text);
  // `address` is numeric; anything else is in no block.
  [[nodiscard]] bool contains(std::string_view address) const;

 private:
  // IPv4 as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2), so that ::ffff:10.0.0.1 is in 10.0.0.0/8.
  std::array<uint8_t, 16> prefix_{};
  unsigned prefix_bits_ = 128;
};

// May the peer say for whom it forwards? Then its Forwarded and X-Forwarded-* fields are kept and
// added to; everybody else's are dropped.
enum class PeerTrust : uint8_t { kClient, kTrustedProxy };

[[nodiscard]] PeerTrust trust_of(std::string_view address,
                                 const std::vector<AddressBlock>& trusted_proxies);

// Who sent a request over which connection: worked out once for a connection.
struct ClientOrigin {
  std::string address;  // numeric; "unknown" for a unix socket
  std::string
      forwarded_for;  // the node of RFC 7239 section 6: an IPv6 address in brackets and quotes
  std::string_view scheme;  // "http" or "https"
  PeerTrust trust = PeerTrust::kClient;
};

[[nodiscard]] ClientOrigin origin_of(const net::Peer& peer,
                                     const std::vector<AddressBlock>& trusted_proxies);

}  // namespace partywall::http
