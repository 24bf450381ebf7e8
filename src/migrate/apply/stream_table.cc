#include "migrate/apply/stream_table.h"

#include <algorithm>

#include "engines/postgres.h"

namespace partywall::migrate {

const StreamColumn* StreamTable::find(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &StreamColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

std::string StreamTable::quoted() const {
  return postgres::quote_identifier(schema) + "." + postgres::quote_identifier(name);
}

}  // namespace partywall::migrate
