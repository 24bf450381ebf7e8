#pragma once

#include <string_view>
#include <vector>

#include "store/control/records.h"
#include "store/control/session.h"

namespace partywall::store {

// By name.
Result<std::vector<TierRecord>> list_tiers(Session& session);
// kNotFound
Result<TierRecord> find_tier(Session& session, std::string_view name);

// Adds the tier or replaces it. Its tenants have the new limits at once. An expected version of 0
// insists that there is none yet.
Result<> put_tier(Change& change, const Tier& tier, ExpectedVersion expected = {});
// kConflict while tenants are on it.
Result<> remove_tier(Change& change, std::string_view name, ExpectedVersion expected = {});

// {"name", "terms", "version"} of the row `t`.
[[nodiscard]] std::string_view tier_document_sql();
Result<TierRecord> read_tier_document(const JsonValue& document);

}  // namespace partywall::store
