#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/control/session.h"

// Which of several `partywall control` leads: a row in the store, by the store's own clock. The
// fence grows with each new holder, and every write of a leader checks it while it holds the row
// (ControlStore::change_as_leader): a leader that was paused and has lost the lease cannot write.
namespace partywall::store {

inline constexpr std::string_view kControlLease = "control";

struct Lease {
  std::string holder;
  int64_t fence = 0;
};

// Takes the lease if it is free, has run out, or is the holder's already. The result is whoever
// holds it now. A holder that has kept its fence from before goes on with it; one that comes back
// under the same name without knowing the fence is a new holder (`known_fence` 0).
Result<Lease> acquire_lease(Session& session, std::string_view name, std::string_view holder,
                            int64_t known_fence, Duration lifetime);

// Gives it back at a regular end, so that nobody has to wait until it has run out.
Result<> release_lease(Session& session, std::string_view name, int64_t fence);

// Within a transaction: holds the row of kControlLease until its end. kDenied if the fence is not
// that of the row.
Result<> check_fence(Session& session, int64_t fence);

}  // namespace partywall::store
