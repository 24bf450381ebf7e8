#pragma once

#include <string>

#include "base/result.h"
#include "store/node_settings.h"

namespace partywall::cli {

// The base of the URLs of a node's admin port. `given`: ADDRESS:PORT, where the platform file does
// not say it; empty: as its `listen.admin`. kInvalid: it has none.
Result<std::string> node_admin_url(const std::string& given, const store::NodeSettings& node);

}  // namespace partywall::cli
