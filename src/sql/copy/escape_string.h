#pragma once

#include <optional>
#include <string>

#include "sql/lexer.h"

namespace partywall::sql {

// The value of a string constant: '…', $tag$…$tag$, and E'…' with its backslash escapes (not the
// unicode ones). nullopt: something else, or in several parts.
[[nodiscard]] std::optional<std::string> string_constant(const Token& token);

}  // namespace partywall::sql
