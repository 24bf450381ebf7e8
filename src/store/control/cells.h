#pragma once

#include <string_view>
#include <vector>

#include "store/control/records.h"
#include "store/control/session.h"

// Cells in the control store. Passwords and keys of their engines are sealed with the node key:
// they are in no log, no backup and no dump in plain text.
namespace partywall::store {

// By name.
Result<std::vector<CellRecord>> list_cells(Session& session);
// kNotFound
Result<CellRecord> find_cell(Session& session, std::string_view name);

// Adds the cell or replaces it, secrets included. An expected version of 0 insists that there is
// none yet. kConflict where tenants would share a Redis database, or a dedicated cell.
Result<> put_cell(Change& change, const CellRecord& cell, ExpectedVersion expected = {});
// "active", "draining" or "down".
Result<> set_cell_state(Change& change, std::string_view name, std::string_view state,
                        ExpectedVersion expected = {});
// kConflict while tenants are placed in it or logins lead to it.
Result<> remove_cell(Change& change, std::string_view name, ExpectedVersion expected = {});

}  // namespace partywall::store
