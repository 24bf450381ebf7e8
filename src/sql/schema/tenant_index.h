#pragma once

#include "sql/schema/state.h"

// Which indexes of a protected table tell a tenant its neighbours' values. PostgreSQL hands what a
// statement asks for to the index before row-level security looks at the rows: EXPLAIN (ANALYZE)
// counts the entries that were met and thrown away, or the pages of the index, and time does too.
namespace partywall::sql {

// An entry of another tenant is met before it is known to be one.
[[nodiscard]] bool leaks_values(const IndexState& index);

// The tenant's column as the first makes an index of this method safe.
[[nodiscard]] bool can_lead_with_tenant(std::string_view method);

}  // namespace partywall::sql
