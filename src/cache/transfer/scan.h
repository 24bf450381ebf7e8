#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cache/transfer/tenant_transfer.h"

namespace partywall::cache {

Result<> select_database(redis::Connection& connection, uint32_t database);

// Calls `take` with one batch of keys after the other (each begins with the space's prefix), until
// all have been seen or it fails. The space's database must have been selected.
Result<> scan_keys(redis::Connection& connection, const KeySpace& space, uint32_t count,
                   const std::function<Result<>(const std::vector<std::string>& keys)>& take);

}  // namespace partywall::cache
