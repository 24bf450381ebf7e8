#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace partywall {

// Appends a number in decimal digits: what is written for each request is written without a format
// string, which costs several times as much.
inline void append_decimal(std::string& out, uint64_t number) {
  std::array<char, 20> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<size_t>(end - digits.data()));
}

// Below 1,000, with leading zeros: what stands behind the point.
inline void append_thousandths(std::string& out, uint32_t number) {
  const char digits[] = {static_cast<char>('0' + number / 100),
                         static_cast<char>('0' + number / 10 % 10),
                         static_cast<char>('0' + number % 10)};
  out.append(digits, sizeof digits);
}

}  // namespace partywall
