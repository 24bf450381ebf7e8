#include "migrate/schema/catalog.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace partywall::migrate {

std::string definition_of(const Reference& reference) {
  std::string text =
      fmt::format("FOREIGN KEY ({}) REFERENCES {}({})", fmt::join(reference.columns, ", "),
                  reference.table, fmt::join(reference.referenced_columns, ", "));
  if (reference.match_full) text += " MATCH FULL";
  if (!reference.on_update.empty()) text += " ON UPDATE " + reference.on_update;
  if (!reference.on_delete.empty()) text += " ON DELETE " + reference.on_delete;
  if (!reference.set_columns.empty())
    text += fmt::format(" ({})", fmt::join(reference.set_columns, ", "));
  return text + reference.timing;
}

const Table* Catalog::find_table(const std::string& name) const {
  const auto table = std::ranges::find(tables, name, &Table::name);
  return table == tables.end() ? nullptr : &*table;
}

}  // namespace partywall::migrate
