#pragma once

#include <optional>
#include <string>

#include "cache/resp/request_parser.h"
#include "tenancy/limits.h"

// COMMAND: a tenant's Redis has the commands that the tenant may use.
namespace partywall::cache {

// COMMAND COUNT, and COMMAND LIST with nothing behind it or FILTERBY PATTERN or MODULE. Nothing for
// what Redis is to answer.
std::optional<std::string> command_answer(const Request& request, CacheScripts scripts);

// COMMAND, COMMAND INFO and COMMAND DOCS as Redis is to get them: about the tenant's commands only.
// Names of others become names that Redis does not know.
std::string about_own_commands(const Request& request, CacheScripts scripts);

}  // namespace partywall::cache
