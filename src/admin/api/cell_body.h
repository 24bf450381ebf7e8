#pragma once

#include "admin/api/call.h"
#include "store/control/records.h"

namespace partywall::admin {

// Reads a cell as callers write it: {"kind", "region", "max_tenants", "parts", "secrets"}. Secrets
// that are not there stay as they are in `before`; nothing shows them again. The register key
// is hexadecimal.
ApiResult<store::CellRecord> read_cell(const JsonValue& body, const std::string& name,
                                       const store::CellRecord* before);

}  // namespace partywall::admin
