#pragma once

#include <string>
#include <string_view>

#include "sql/schema/state.h"

namespace partywall::sql {

// Whether an expression, as pg_get_expr shows it, is `<column> = (SELECT partywall.tenant_id())`.
[[nodiscard]] bool is_tenant_test(std::string_view expression, std::string_view tenant_column);

// Whether a policy lets everybody have the rows of their own tenant at most, whatever they do and
// whatever other policies there are.
[[nodiscard]] bool is_tenant_policy(const PolicyState& policy, std::string_view tenant_column);

}  // namespace partywall::sql
