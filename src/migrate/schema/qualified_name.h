#pragma once

#include <string_view>

#include "sql/schema/state.h"

namespace partywall::migrate {

// From the server's text of a relation's name: public."zip code".
[[nodiscard]] sql::QualifiedName qualified_name(std::string_view text);

}  // namespace partywall::migrate
