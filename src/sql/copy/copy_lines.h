#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/copy/copy_statement.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {

// Cuts the data of a COPY in text or csv format into lines, by PostgreSQL's rules
// (CopyReadLineText of src/backend/commands/copyfromparse.c): whatever ends the first line ends
// all; "\." ends the data.
class CopyLines {
 public:
  enum class Outcome : uint8_t {
    kNeedMore,  // everything offered was taken
    kLine,      // line(), until the next call
    kEnd,       // what comes now is not read
    kError,     // error()
  };

  // The format must outlive it.
  CopyLines(const CopyFormat& format, size_t max_line_bytes);

  // Takes from the front of `input` up to the end of a line.
  Outcome next(std::string_view& input);
  // Nothing more comes: call it until it gives kEnd or kError.
  Outcome finish();

  [[nodiscard]] const std::string& line() const { return line_; }
  // Of the last line; from 1. Line ends within quotes count.
  [[nodiscard]] uint64_t number() const { return number_; }
  [[nodiscard]] const SqlError& error() const { return error_; }

 private:
  enum class LineEnd : uint8_t { kUnknown, kNewline, kReturn, kReturnNewline };
  enum class State : uint8_t {
    kLineIsOver,  // or nothing was read yet
    kNormal,
    kBackslash,     // text: the next character belongs to it; csv: it may be a dot
    kReturn,        // a newline may follow
    kMarker,        // "\."
    kMarkerReturn,  // "\.\r"
    kEnded,
  };
  enum class Step : uint8_t { kTaken, kNotTaken, kLine, kLineNotTaken, kEnd, kError };

  Step step(char c);
  Step step_normal(char c);
  Step step_backslash(char c);
  Step step_return(char c);
  Step step_marker(char c);
  Step end_of_data();
  Step not_a_marker();
  void note_quotes(char c);
  Step fail(std::string_view message, std::string_view hint = {});
  Step stray_return();
  Outcome give(Step step);

  const CopyFormat& format_;
  const bool is_csv_;
  const size_t max_line_bytes_;
  std::string line_;
  uint64_t number_ = 0;
  LineEnd line_end_ = LineEnd::kUnknown;
  State state_ = State::kLineIsOver;
  bool is_first_character_ = true;
  bool in_quote_ = false;
  bool last_was_escape_ = false;
  bool ends_after_line_ = false;
  SqlError error_;
};

}  // namespace partywall::sql
