#pragma once

#include <map>

#include <sys/types.h>

#include "fleet/provider.h"

namespace partywall::fleet {

// Adds to each session (named by its leader's process id) what its processes use: an instance is a
// session of its own, so that what it forks counts for it. Reads /proc once. A process that ends
// meanwhile, or that has ended, does not count.
void add_session_use(std::map<pid_t, ResourceUse>& sessions);

}  // namespace partywall::fleet
