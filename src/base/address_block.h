#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace partywall {

// Addresses that begin alike: "10.0.0.0/8", "2001:db8::/32", or a single one, "::1". IPv4 addresses
// count as IPv4-mapped IPv6 ones (RFC 4291 section 2.5.5.2), so that ::ffff:10.0.0.1 is in
// 10.0.0.0/8.
class AddressBlock {
 public:
  // No address at all until parse() made it.
  AddressBlock() = default;

  // Refuses set bits beyond the prefix: 10.0.0.1/8 says two things.
  static Result<AddressBlock> parse(std::string_view text);
  // `address` is numeric; anything else is in no block.
  [[nodiscard]] bool contains(std::string_view address) const;
  [[nodiscard]] std::string to_string() const;

  bool operator==(const AddressBlock&) const = default;

 private:
  static constexpr unsigned kNone = 129;  // longer than any address

  std::array<uint8_t, 16> prefix_{};
  unsigned prefix_bits_ = kNone;
};

// A numeric address that never leaves this machine: 127.0.0.0/8 or ::1.
[[nodiscard]] bool is_loopback_address(std::string_view address);
// A numeric address of either family, without brackets.
[[nodiscard]] bool is_numeric_address(std::string_view text);

}  // namespace partywall
