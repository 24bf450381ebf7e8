#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace partywall::sql {

// One row of the data of a COPY: the values as PostgreSQL's types read them (in binary format as
// they receive them), NULL as nullopt. Reused from row to row, so that it keeps its memory.
struct CopyRow {
  std::vector<std::optional<std::string>> values;
  uint64_t line = 0;  // where it ends; from 1
};

}  // namespace partywall::sql
