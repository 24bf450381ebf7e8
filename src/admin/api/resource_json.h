#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "store/control/admin_tokens.h"
#include "store/control/events.h"
#include "store/control/operations.h"
#include "store/control/records.h"

// Resources as the API shows them: without secrets, times in RFC 3339.
namespace partywall::admin {

// All tiers by name: what tenants' limits start from.
using Tiers = std::map<std::string, Tier, std::less<>>;
Result<Tiers> load_tiers(store::Session& session);

JsonValue to_json(const store::TenantRecord& tenant, const Tiers& tiers);
JsonValue to_json(const store::TierRecord& tier);
JsonValue to_json(const store::CellRecord& cell);
JsonValue to_json(const store::RouteRecord& route);
JsonValue to_json(const store::Operation& operation);
JsonValue to_json(const store::Event& event);
JsonValue to_json(const store::AdminTokenRecord& token);

// {"items": […], "next": "…"}; `next` is the cursor of the next page, null on the last one.
std::string page_json(JsonArray items, std::optional<std::string> next);

}  // namespace partywall::admin
