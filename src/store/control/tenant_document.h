#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "store/control/records.h"

namespace partywall::store {

// An expression for a tenant with all that belongs to it, as one JSON document; `t` is its row in
// partywall.tenants. The same text goes into snapshots.
[[nodiscard]] std::string_view tenant_document_sql();

Result<TenantRecord> read_tenant_document(const JsonValue& document);

}  // namespace partywall::store
