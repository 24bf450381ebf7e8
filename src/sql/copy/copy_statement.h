#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/statement.h"

namespace partywall::sql {

// How the data of a COPY is written (PostgreSQL documentation, COPY, "File Formats").
struct CopyFormat {
  enum class Kind : uint8_t { kText, kCsv, kBinary };

  Kind kind = Kind::kText;
  char delimiter = '\t';
  std::string null = "\\N";
  char quote = '"';   // of kCsv, like what follows
  char escape = '"';  // the quote itself: it is doubled
  std::vector<std::string> force_not_null;
  std::vector<std::string> force_null;
  bool has_header = false;  // the first line is left out; not of kBinary
};

// COPY table [(columns)] FROM STDIN …
struct CopyFrom {
  std::string table;                 // as SQL: quoted, with its schema where one is named
  std::string name;                  // of the table alone, for messages
  std::vector<std::string> columns;  // empty: all that data can be copied to
  CopyFormat format;
};

// nullopt: something else, or with options that are not understood (WHERE, FREEZE, ENCODING,
// HEADER MATCH …) or that PostgreSQL refuses.
[[nodiscard]] std::optional<CopyFrom> parse_copy_from(std::string_view statement,
                                                      SqlSyntax syntax = {});

}  // namespace partywall::sql
