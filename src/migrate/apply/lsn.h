#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace partywall::migrate {

// A place in a server's write-ahead log, in bytes from its beginning. 0: none.
struct Lsn {
  uint64_t value = 0;

  constexpr auto operator<=>(const Lsn&) const = default;
};

// As PostgreSQL writes it: two hexadecimal halves, "16/B374D848".
[[nodiscard]] std::string to_string(Lsn lsn);
[[nodiscard]] Result<Lsn> parse_lsn(std::string_view text);

// Whether a stream that has got as far as `sent` holds everything before `wanted`. They differ by
// a page's header where a record ends with its page: the next one would begin behind that header.
[[nodiscard]] bool has_reached(Lsn sent, Lsn wanted);

}  // namespace partywall::migrate
