#pragma once

#include <span>
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
// A cell that has these parts, and neither name nor secrets.
Result<Cell> read_cell_parts(const JsonValue& parts);

// "sql.register_key" …
[[nodiscard]] std::span<const std::string_view> cell_secret_names();
// Is it random bytes, written as hexadecimal digits where it has to be text?
[[nodiscard]] bool is_hexadecimal_secret(std::string_view name);
// nullptr: there is no secret of that name.
[[nodiscard]] Secret* find_cell_secret(Cell& cell, std::string_view name);
[[nodiscard]] JsonValue sealed_cell_secrets(const Cell& cell, const SealingKey& key,
                                            Random& random);

}  // namespace partywall::store
