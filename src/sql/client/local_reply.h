#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sql/wire/sql_error.h"

namespace partywall::sql {

// The answer to a statement that the door executes itself, as PostgreSQL would give it.
struct LocalReply {
  struct Row {  // of one text column
    std::string column;
    std::string value;
  };
  std::optional<SqlError> warning;
  std::optional<SqlError> error;  // instead of the rest
  std::optional<Row> row;
  std::string tag;  // empty: there was no statement in the text

  static LocalReply failed(SqlError error) { return {.error = std::move(error)}; }
  static LocalReply done(std::string_view tag) { return {.tag = std::string(tag)}; }
};

void append_text_row_description(std::string& out, std::string_view column);
void append_text_row(std::string& out, std::string_view value);
// The row, and CommandComplete, EmptyQueryResponse or ErrorResponse: what Execute gets.
void append_execution(std::string& out, const LocalReply& reply);

}  // namespace partywall::sql
