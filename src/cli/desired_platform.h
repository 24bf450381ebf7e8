#pragma once

#include "base/json.h"
#include "tenancy/directory.h"

namespace partywall::cli {

// What a platform file says of tiers, cells, routes and tenants, as the document of POST /v1/apply.
// It holds the secrets of the cells.
JsonValue desired_document(const DirectoryData& directory);

}  // namespace partywall::cli
