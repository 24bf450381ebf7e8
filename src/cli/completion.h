#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace partywall::cli {

// The script that makes a shell complete our words: it asks `partywall __complete WORD…`. kInvalid:
// not bash, zsh or fish.
Result<std::string> completion_script(std::string_view shell);

}  // namespace partywall::cli
