#include "http/proxy/client_origin.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace partywall::http {
PeerTrust trust_of(std::string_view address, const std::vector<AddressBlock>& trusted_proxies) {
  const bool trusted = std::ranges::any_of(
      trusted_proxies, [&](const AddressBlock& block) { return block.contains(address); });
  return trusted ? PeerTrust::kTrustedProxy : PeerTrust::kClient;
}

ClientOrigin origin_of(const net::Peer& peer, const std::vector<AddressBlock>& trusted_proxies) {
  ClientOrigin origin;
  const std::string& address = peer.endpoint.address;
  origin.scheme = peer.encrypted ? "https" : "http";
  if (peer.endpoint.is_unix() || address.empty()) {
    origin.address = origin.forwarded_for = "unknown";
    return origin;
  }
  origin.address = address;
  origin.forwarded_for = address.contains(':') ? fmt::format("\"[{}]\"", address) : address;
  origin.trust = trust_of(address, trusted_proxies);
  return origin;
}

}  // namespace partywall::http
