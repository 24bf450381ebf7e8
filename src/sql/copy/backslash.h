#pragma once

#include <string_view>

namespace partywall::sql {

// What a backslash and the characters behind it stand for, in COPY's text format and (but for \v)
// in E'…' alike: \b \f \n \r \t \v, up to three octal or two hexadecimal digits, or the character
// itself. Takes them from `rest`, which begins behind the backslash and must not be empty.
char take_escaped(std::string_view& rest);

}  // namespace partywall::sql
