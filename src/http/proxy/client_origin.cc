#include "http/proxy/client_origin.h"

#include <algorithm>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"

namespace partywall::http {
namespace {

using AddressBytes = std::array<uint8_t, 16>;

struct ParsedAddress {
  AddressBytes bytes{};
  bool is_ipv4 = false;
};

std::optional<ParsedAddress> parse_address(std::string_view text) {
  const std::string copy(text);
  ParsedAddress parsed;
  if (::inet_pton(AF_INET6, copy.c_str(), parsed.bytes.data()) == 1) return parsed;
  parsed.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  parsed.is_ipv4 = true;
  if (::inet_pton(AF_INET, copy.c_str(), parsed.bytes.data() + 12) == 1) return parsed;
  return std::nullopt;
}

}  // namespace

Result<AddressBlock> AddressBlock::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) {
    return fail(ErrorKind::kInvalid,
                "{}: not a block of addresses; write 10.0.0.0/8, 2001:db8::/32 or one address",
                text);
  }
  AddressBlock block;
  block.prefix_ = address->bytes;
  if (slash == std::string_view::npos) return block;
  const auto bits = parse_integer<unsigned>(text.substr(slash + 1), 0, address->is_ipv4 ? 32 : 128);
  if (!bits) {
    return fail(ErrorKind::kInvalid, "{}: the length of the prefix is wrong: {}", text,
                bits.error().message);
  }
  block.prefix_bits_ = *bits + (address->is_ipv4 ? 96 : 0);
  return block;
}

bool AddressBlock::contains(std::string_view address) const {
  const auto parsed = parse_address(address);
  if (!parsed) return false;
  const size_t whole = prefix_bits_ / 8;
  if (!std::equal(prefix_.begin(), prefix_.begin() + static_cast<ptrdiff_t>(whole),
                  parsed->bytes.begin())) {
    return false;
  }
  const unsigned rest = prefix_bits_ % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xFF << (8 - rest));
  return (prefix_[whole] & mask) == (parsed->bytes[whole] & mask);
}

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
