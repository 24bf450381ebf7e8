#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sql/copy/copy_row.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {

// Reads the data of a COPY in binary format (PostgreSQL documentation, COPY, "Binary Format").
class CopyBinary {
 public:
  enum class Outcome : uint8_t { kNeedMore, kRow, kEnd, kError };

  CopyBinary(size_t columns, size_t max_row_bytes);

  // Takes from the front of `input` up to the end of a row.
  Outcome next(std::string_view& input, CopyRow& row);
  // Nothing more comes.
  Outcome finish();
  // Of the last row; from 1.
  [[nodiscard]] uint64_t number() const { return number_; }
  [[nodiscard]] const SqlError& error() const { return error_; }

 private:
  enum class State : uint8_t { kHeader, kExtension, kCount, kLength, kValue, kEnded };

  // Fills the buffer up to `wanted_`; false: more must come.
  bool collect(std::string_view& input);
  void expect(State state, size_t bytes);
  Outcome take(CopyRow& row);
  Outcome take_header();
  Outcome take_count(CopyRow& row);
  Outcome take_length(CopyRow& row);
  Outcome value_done();
  Outcome fail(std::string message);

  const size_t columns_;
  const size_t max_row_bytes_;
  State state_ = State::kHeader;
  std::string buffer_;
  size_t wanted_;
  size_t column_ = 0;
  size_t row_bytes_ = 0;
  uint64_t number_ = 0;
  SqlError error_;
};

}  // namespace partywall::sql
