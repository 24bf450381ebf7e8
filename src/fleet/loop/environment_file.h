#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace partywall::fleet {

// "NAME=value": what a shell would call an assignment, without quotes or substitutions. kInvalid
// never repeats the value, which may be a secret.
Result<std::pair<std::string, Secret>> parse_assignment(std::string_view text);

// One assignment a line; empty lines and those that begin with '#' say nothing. kInvalid names the
// line.
Result<std::map<std::string, Secret>> parse_environment_file(std::string_view text);

}  // namespace partywall::fleet
