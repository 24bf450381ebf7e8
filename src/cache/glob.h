#pragma once

#include <string_view>

namespace partywall::cache {

// Redis's patterns: '*', '?', "[a-z]", "[^a]", backslash; case-sensitive.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace partywall::cache
