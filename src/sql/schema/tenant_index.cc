#include "sql/schema/tenant_index.h"

namespace partywall::sql {

// A GIN index is searched for each of its columns apart, a BRIN index by ranges of pages that
// tenants share, and the others hold one column.
bool can_lead_with_tenant(std::string_view method) { return method == "btree" || method == "gist"; }

bool leaks_values(const IndexState& index) {
  if (index.only_tenant) return false;
  if (index.method == "btree") return !index.led_by_tenant;
  if (can_lead_with_tenant(index.method) && index.led_by_tenant) return false;
  return index.is_partial || index.is_searched_early;
}

}  // namespace partywall::sql
