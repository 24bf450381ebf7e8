#pragma once

#include <string>

namespace partywall::cli {

// `partywall serve -f FILE`: runs the doors of one node until it is told to end. SIGHUP reads the
// file again.
int serve(const std::string& platform_file);

}  // namespace partywall::cli
