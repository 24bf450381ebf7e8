#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

namespace partywall::sql {

// How many rows a CommandComplete tells of: "INSERT 0 17", "SELECT 5"; 0 where it has no number.
[[nodiscard]] inline uint64_t rows_of_tag(std::string_view tag) {
  const size_t blank = tag.rfind(' ');
  uint64_t rows = 0;
  if (blank != tag.npos) std::from_chars(tag.data() + blank + 1, tag.data() + tag.size(), rows);
  return rows;
}

}  // namespace partywall::sql
