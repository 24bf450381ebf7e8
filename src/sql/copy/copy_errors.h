#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace partywall::sql {

// What a batch was made of, to say where an error is.
struct CopyPlace {
  std::string_view table;
  const std::vector<std::string>& columns;
  const std::vector<uint64_t>& lines;  // of the rows of the batch
};

// An ErrorResponse of PostgreSQL to a batch, as a client that copies expects it: with the line as
// its context, and without the position in a statement that it does not know. `body` is
// well-formed.
[[nodiscard]] std::string copy_error_message(std::string_view body, const CopyPlace& place);

[[nodiscard]] std::string line_context(std::string_view table, uint64_t line);

}  // namespace partywall::sql
