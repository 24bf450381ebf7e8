#include "base/address_block.h"

#include <algorithm>
#include <optional>

#include <arpa/inet.h>

#include "base/text.h"

namespace partywall {
namespace {

using AddressBytes = std::array<uint8_t, 16>;

constexpr AddressBytes kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned kMappedBits = 96;

bool is_ipv4(const AddressBytes& bytes) {
  return std::equal(bytes.begin(), bytes.begin() + 12, kMappedPrefix.begin());
}

std::optional<AddressBytes> parse_address(std::string_view text) {
  if (!check_ip_address(text)) return std::nullopt;
  const std::string copy(text);
  AddressBytes bytes{};
  if (::inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return bytes;
  bytes = kMappedPrefix;
  ::inet_pton(AF_INET, copy.c_str(), bytes.data() + 12);
  return bytes;
}

// The first `bits` bits of the address, the others 0.
AddressBytes cut(AddressBytes bytes, unsigned bits) {
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = std::clamp(bits, i * 8, i * 8 + 8) - i * 8;
    bytes[i] &= static_cast<uint8_t>(0xFF00 >> kept);
  }
  return bytes;
}

}  // namespace

Result<AddressBlock> AddressBlock::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  const auto address = parse_address(first);
  if (!address) {
    return fail(ErrorKind::kInvalid,
                "'{}' is not a block of addresses: write 10.0.0.0/8, 2001:db8::/32 or one address",
                text);
  }
  AddressBlock block;
  block.prefix_ = *address;
  block.prefix_bits_ = 128;
  if (slash == text.npos) return block;
  const unsigned skipped = first.contains(':') ? 0 : kMappedBits;
  const auto bits = parse_integer<unsigned>(text.substr(slash + 1), 0, 128 - skipped);
  if (!bits)
    return fail(ErrorKind::kInvalid, "'{}': the prefix length: {}", text, bits.error().message);
  block.prefix_bits_ = *bits + skipped;
  block.prefix_ = cut(*address, block.prefix_bits_);
  if (block.prefix_ != *address) {
    return fail(ErrorKind::kInvalid, "'{}' has bits beyond its prefix; write {}", text,
                block.to_string());
  }
  return block;
}

bool AddressBlock::contains(std::string_view address) const {
  if (prefix_bits_ == kNone) return false;
  const auto parsed = parse_address(address);
  return parsed && cut(*parsed, prefix_bits_) == prefix_;
}

std::string AddressBlock::to_string() const {
  if (prefix_bits_ == kNone) return "none";
  const bool as_ipv4 = is_ipv4(prefix_) && prefix_bits_ >= kMappedBits;
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(as_ipv4 ? AF_INET : AF_INET6, prefix_.data() + (as_ipv4 ? 12 : 0), text.data(),
              text.size());
  if (prefix_bits_ == 128) return text.data();
  return fmt::format("{}/{}", text.data(), prefix_bits_ - (as_ipv4 ? kMappedBits : 0));
}

bool is_loopback_address(std::string_view address) {
  static const AddressBlock kLoopback4 = AddressBlock::parse("127.0.0.0/8").value();
  static const AddressBlock kLoopback6 = AddressBlock::parse("::1").value();
  return kLoopback4.contains(address) || kLoopback6.contains(address);
}

bool is_numeric_address(std::string_view text) { return parse_address(text).has_value(); }

}  // namespace partywall
