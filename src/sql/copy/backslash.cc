#include "sql/copy/backslash.h"

#include <optional>

#include "base/hex.h"

namespace partywall::sql {
namespace {

std::optional<int> digit_value(char c, int base) {
  const int value = hex_value(c);
  return value >= 0 && value < base ? std::optional(value) : std::nullopt;
}

// Up to `most` digits; PostgreSQL takes the lowest eight bits.
char take_number(std::string_view& rest, int base, int most) {
  int number = 0;
  for (; most > 0 && !rest.empty(); --most) {
    const auto digit = digit_value(rest.front(), base);
    if (!digit) break;
    number = number * base + *digit;
    rest.remove_prefix(1);
  }
  return static_cast<char>(number);
}

}  // namespace

char take_escaped(std::string_view& rest) {
  const char c = rest.front();
  if (digit_value(c, 8)) return take_number(rest, 8, 3);
  rest.remove_prefix(1);
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case 'x':
      return !rest.empty() && digit_value(rest.front(), 16) ? take_number(rest, 16, 2) : 'x';
    default:
      return c;
  }
}

}  // namespace partywall::sql
