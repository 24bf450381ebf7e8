#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address_block.h"
#include "net/stream.h"

namespace partywall::http {

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
