#pragma once

#include <string_view>

#include "store/control/session.h"

namespace partywall::store {

// The version of the row of `table` whose `column` is `key`; 0: there is none.
Result<uint64_t> version_of(Session& session, std::string_view table, std::string_view column,
                            std::string_view key);

// kConflict if the row is not at the version that the caller saw; `what` names it for people.
Result<> check_version(std::string_view what, uint64_t version, ExpectedVersion expected);

// Deletes that row. kNotFound if there is none.
Result<> remove_row(Change& change, std::string_view table, std::string_view column,
                    std::string_view key, std::string_view what, ExpectedVersion expected);

}  // namespace partywall::store
