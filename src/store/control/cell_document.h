#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/random.h"
#include "identity/sealing_key.h"
#include "store/control/records.h"

// A cell as documents: its parts without secrets, and its secrets by name, each sealed for this
// cell and name.
namespace partywall::store {

// An expression for the whole row `t` of partywall.cells, its secrets still sealed. The same text
// goes into snapshots.
[[nodiscard]] std::string_view cell_document_sql();
Result<CellRecord> read_cell_document(const JsonValue& document, const SealingKey& key);

[[nodiscard]] JsonValue cell_parts(const Cell& cell);
[[nodiscard]] JsonValue sealed_cell_secrets(const Cell& cell, const SealingKey& key,
                                            Random& random);

}  // namespace partywall::store
