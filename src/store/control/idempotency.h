#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/control/session.h"

namespace partywall::store {

// The answer to a request that may be sent again. It is saved in the transaction that does the
// work, so that a request is done once, or not at all.
struct SavedAnswer {
  uint32_t status = 0;
  std::string body;
};

// The answer that was given to the principal's request of this key before, if any. kConflict if
// that was another request: `request_sha256` is a digest of method, path and body.
Result<std::optional<SavedAnswer>> find_answer(Session& session, std::string_view principal,
                                               std::string_view key,
                                               std::string_view request_sha256);
// kConflict if the key was used meanwhile: the whole change is rolled back then.
Result<> save_answer(Change& change, std::string_view principal, std::string_view key,
                     std::string_view request_sha256, const SavedAnswer& answer);
// Removes those that are older.
Result<uint64_t> remove_old_answers(Change& change, Duration age);

}  // namespace partywall::store
