#pragma once

#include <string>
#include <string_view>

#include "base/uuid.h"
#include "migrate/database_identity.h"

// What a stream calls its things in the source and in the target.
namespace partywall::migrate {

// Of the replication slot and the publication in the source, and of the replication origin in the
// target: the same for the same tenant and target, so that a run finds what an earlier one left,
// and the stream in the other direction knows what it must pass over. At most 63 bytes of a-z, 0-9
// and '_'.
[[nodiscard]] std::string stream_name(const Uuid& tenant, const DatabaseIdentity& target);

}  // namespace partywall::migrate
