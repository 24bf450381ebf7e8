#pragma once

#include "cache/commands/command_rule.h"

namespace partywall::cache {

// May one command of this kind take Redis as long as the keys are big? Such commands of a tenant go
// to Redis a few at a time (slow_lane.h).
bool may_take_long(const CommandRule& rule);

}  // namespace partywall::cache
