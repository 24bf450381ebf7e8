#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace partywall::cache {

// Splits an inline request into words, with Redis's quoting ("…" with \n \r \t \b \a \xHH and
// backslash escapes; '…' with \' only), and writes it to `out` as an array of bulk strings. The
// number of words; none on unbalanced quotes.
std::optional<uint32_t> inline_to_array(std::string_view line, std::string& out);

}  // namespace partywall::cache
