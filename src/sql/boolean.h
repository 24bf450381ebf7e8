#pragma once

#include <optional>
#include <string_view>

namespace partywall::sql {

// A boolean as PostgreSQL reads it from text (src/backend/utils/adt/bool.c): true, yes, on, 1,
// false, no, off, 0, beginnings of them that are unique, in any case, with blanks around.
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);

}  // namespace partywall::sql
