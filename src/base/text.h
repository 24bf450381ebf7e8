#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "base/time.h"

// Reading what people write: numbers, durations, sizes, addresses, and guessing what was meant.
// Every parser takes the whole text or fails; none skips blanks. Failures are kInvalid and say how
// the thing is written.
namespace partywall {

// "a,b,,c" gives a, b, an empty part, c; an empty text gives one empty part.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// Decimal digits with an optional leading '-'; no '+', no leading zeros (0644 is octal to some).
[[nodiscard]] Result<int64_t> parse_signed(std::string_view text);
[[nodiscard]] Result<uint64_t> parse_unsigned(std::string_view text);

template <std::integral Integer>
[[nodiscard]] Result<Integer> parse_integer(
    std::string_view text,
    std::type_identity_t<Integer> least = std::numeric_limits<Integer>::min(),
    std::type_identity_t<Integer> most = std::numeric_limits<Integer>::max()) {
  const auto check = [&](auto parsed) -> Result<Integer> {
    if (!parsed) return std::unexpected(parsed.error());
    if (std::cmp_less(*parsed, least) || std::cmp_greater(*parsed, most)) {
      return fail(ErrorKind::kInvalid, "{} is out of bounds, it must be {} to {}", text, least,
                  most);
    }
    return static_cast<Integer>(*parsed);
  };
  if (text.starts_with('-')) return check(parse_signed(text));
  return check(parse_unsigned(text));
}

// A whole number and one of ms, s, m, h, d: "300ms", "5s", "2m", "1h", "7d". Never without a unit.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
// The same form, with the largest unit that loses nothing ("1500ms", "2m"); below a millisecond ns.
[[nodiscard]] std::string format_duration(Duration duration);

// A whole number and one of B, KiB, MiB, GiB, TiB (powers of 1,024). KB, MB and GB are refused,
// because they mean 1,000s to some tools (SI) and 1,024s to others (PostgreSQL, Redis).
[[nodiscard]] Result<uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(uint64_t bytes);

// A numeric IPv4 or IPv6 address; names are never looked up.
[[nodiscard]] Result<> check_ip_address(std::string_view text);
// "127.0.0.1:80", "[::1]:80" or an absolute path of a unix socket (at most 107 bytes).
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] Result<> check_unix_path(std::string_view path);

// The candidate that `word` was probably meant to be, empty if none is near: at most a third of
// its letters wrong (inserted, dropped, changed, or two neighbours swapped).
[[nodiscard]] std::string_view closest_match(std::string_view word,
                                             std::span<const std::string_view> candidates);
// "; did you mean 'tier'?"; if nothing is near "; known here: id, slug, tier" (at most a dozen,
// else nothing): for the end of an error message.
[[nodiscard]] std::string suggestion(std::string_view word,
                                     std::span<const std::string_view> candidates);

}  // namespace partywall
