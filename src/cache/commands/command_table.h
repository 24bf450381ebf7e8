#pragma once

#include <array>
#include <string_view>

#include "cache/commands/command_count.h"
#include "cache/commands/command_rule.h"

namespace partywall::cache {

// All commands of Redis 7.0, sorted by name.
extern const std::array<CommandRule, kCommandCount> kCommandRules;

// The rule of a request by its first two words, in any case. A container gives its sub-command's
// rule; nullptr for what is not known, which is to be refused.
const CommandRule* find_command(std::string_view name, std::string_view first_argument);

}  // namespace partywall::cache
