#pragma once

#include <string>

#include "cli/remote.h"

namespace partywall::cli {

// `partywall doctor -f platform.yaml`: looks at a set-up from end to end, and says what to do. It
// changes nothing. kExitFailure if something is bad.
int doctor(const std::string& platform_file, const RemoteOptions& remote);

}  // namespace partywall::cli
