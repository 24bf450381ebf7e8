#include "base/version.h"

namespace partywall {

std::string_view version() { return PARTYWALL_VERSION; }

}  // namespace partywall
