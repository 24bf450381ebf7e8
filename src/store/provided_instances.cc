#include "store/provided_instances.h"

namespace partywall::store {

void keep_provided_instances(const Directory& current, std::vector<Cell>& cells) {
  for (Cell& cell : cells) {
    const Cell* const before = current.find_cell(cell.name);
    if (!before) continue;
    for (Pool& pool : cell.pools) {
      const Pool* const old = before->find_pool(pool.name);
      if (pool.is_provided && old && old->is_provided) pool.instances = old->instances;
    }
  }
}

}  // namespace partywall::store
