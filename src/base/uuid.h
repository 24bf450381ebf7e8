#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace partywall {

class Random;

// RFC 9562, as 16 bytes in network order.
class Uuid {
 public:
  constexpr Uuid() = default;
  explicit constexpr Uuid(std::array<uint8_t, 16> bytes) : bytes_(bytes) {}

  // Accepts only the canonical form, 8-4-4-4-12 hexadecimal digits of either case.
  static Result<Uuid> parse(std::string_view text);
  static Uuid random(Random& random);
  static Uuid from_halves(uint64_t high, uint64_t low);

  [[nodiscard]] std::string to_string() const;  // lower case
  [[nodiscard]] uint64_t high() const;
  [[nodiscard]] uint64_t low() const;
  [[nodiscard]] const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  [[nodiscard]] bool is_nil() const { return *this == Uuid(); }

  constexpr auto operator<=>(const Uuid&) const = default;

 private:
  std::array<uint8_t, 16> bytes_{};
};

}  // namespace partywall

template <>
struct std::hash<partywall::Uuid> {
  size_t operator()(const partywall::Uuid& uuid) const noexcept {
    return uuid.low() ^ (uuid.high() * 0x9E3779B97F4A7C15u);
  }
};
