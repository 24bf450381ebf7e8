#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sql/copy/copy_binary.h"
#include "sql/copy/copy_fields.h"
#include "sql/copy/copy_lines.h"
#include "sql/copy/copy_row.h"

namespace partywall::sql {

// The rows in the data of a COPY, whatever its format. Holds no more than one row.
class CopyDecoder {
 public:
  enum class Outcome : uint8_t { kNeedMore, kRow, kEnd, kError };

  // The format must outlive it.
  CopyDecoder(const CopyFormat& format, const std::vector<std::string>& columns,
              size_t max_row_bytes);
  CopyDecoder(const CopyDecoder&) = delete;
  CopyDecoder& operator=(const CopyDecoder&) = delete;

  // Takes from the front of `input` up to the end of a row, which is row() until the next call.
  Outcome next(std::string_view& input);
  // Nothing more comes: call it until it gives kEnd or kError.
  Outcome finish();

  [[nodiscard]] const CopyRow& row() const { return row_; }
  // The line of the last row, or of the error.
  [[nodiscard]] uint64_t line() const;
  [[nodiscard]] const SqlError& error() const { return error_; }

 private:
  struct Lines {
    CopyLines lines;
    CopyFields fields;
    bool skips_header;
  };

  Outcome take(Lines& text, CopyLines::Outcome outcome);
  Outcome take(const CopyBinary& binary, CopyBinary::Outcome outcome);

  std::variant<Lines, CopyBinary> reader_;
  CopyRow row_;
  SqlError error_;
};

}  // namespace partywall::sql
