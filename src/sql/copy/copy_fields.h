#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sql/copy/copy_row.h"
#include "sql/copy/copy_statement.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {

// Splits lines into the values of the columns, by PostgreSQL's rules (CopyReadAttributesText and
// CopyReadAttributesCSV of src/backend/commands/copyfromparse.c).
class CopyFields {
 public:
  // The format must outlive it.
  CopyFields(const CopyFormat& format, std::vector<std::string> columns);

  // What is wrong with the line, or the row.
  std::optional<SqlError> read(std::string_view line, CopyRow& row);

 private:
  [[nodiscard]] std::optional<std::string> read_text_field(std::string_view& rest,
                                                           bool& is_last) const;
  std::optional<SqlError> read_csv_field(std::string_view& rest, bool& is_last,
                                         std::optional<std::string>& value) const;
  bool read_quoted(std::string_view& rest, std::string& value) const;

  const CopyFormat& format_;
  std::vector<std::string> columns_;
  std::vector<bool> force_null_;  // by column
  std::vector<bool> force_not_null_;
};

}  // namespace partywall::sql
