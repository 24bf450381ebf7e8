#pragma once

#include "store/control/session.h"
#include "tenancy/directory.h"

namespace partywall::store {

// Puts what a platform file says into an empty store: where a tenant's limits differ from its
// tier's they become overrides. kConflict if the store holds anything already.
Result<> import_directory(Change& change, const DirectoryData& data);

}  // namespace partywall::store
