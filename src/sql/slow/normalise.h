#pragma once

#include <string>
#include <string_view>

#include "sql/statement.h"

namespace partywall::sql {

// The text of a statement without what may be secret in it: every constant is a ?, lists of them
// are one, comments are left out, blanks are one each. What cannot be read for certain (the end of
// a text that was cut, an encoding whose characters may look like quotes) is left out too.
[[nodiscard]] std::string without_constants(std::string_view text, SqlSyntax syntax = {});

}  // namespace partywall::sql
