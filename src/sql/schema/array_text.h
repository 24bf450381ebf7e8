#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace partywall::sql {

// PostgreSQL's text form of a one-dimensional text[]: {a,"b c","say \"x\""}. Writing quotes every
// element; reading takes what the server writes (NULL elements are not expected).
[[nodiscard]] std::string to_array_text(const std::vector<std::string>& elements);
[[nodiscard]] std::vector<std::string> from_array_text(std::string_view text);

}  // namespace partywall::sql
