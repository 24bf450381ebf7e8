#include "sql/copy/copy_lines.h"

#include <fmt/format.h>

namespace partywall::sql {

CopyLines::CopyLines(const CopyFormat& format, size_t max_line_bytes)
    : format_(format),
      is_csv_(format.kind == CopyFormat::Kind::kCsv),
      max_line_bytes_(max_line_bytes) {}

CopyLines::Outcome CopyLines::next(std::string_view& input) {
  if (ends_after_line_) state_ = State::kEnded;
  while (!input.empty() && state_ != State::kEnded) {
    if (state_ == State::kLineIsOver) {
      line_.clear();
      ++number_;
      is_first_character_ = true;
      in_quote_ = last_was_escape_ = false;
      state_ = State::kNormal;
    }
    const Step done = step(input.front());
    if (done != Step::kNotTaken && done != Step::kLineNotTaken) input.remove_prefix(1);
    if (done != Step::kTaken && done != Step::kNotTaken) return give(done);
    if (line_.size() > max_line_bytes_) {
      error_ = {
          .sqlstate = sqlstate::kProgramLimit,
          .message = fmt::format("a line of the data is longer than {} bytes", max_line_bytes_),
          .hint = "Send it with INSERT."};
      return Outcome::kError;
    }
  }
  return state_ == State::kEnded ? Outcome::kEnd : Outcome::kNeedMore;
}

CopyLines::Outcome CopyLines::give(Step step) {
  switch (step) {
    case Step::kLine:
    case Step::kLineNotTaken:
      state_ = State::kLineIsOver;
      return Outcome::kLine;
    case Step::kEnd:
      state_ = State::kEnded;
      return Outcome::kEnd;
    case Step::kError:
      return Outcome::kError;
    case Step::kTaken:
    case Step::kNotTaken:
      break;
  }
  return Outcome::kNeedMore;
}

CopyLines::Step CopyLines::step(char c) {
  switch (state_) {
    case State::kNormal:
    case State::kLineIsOver:
      return step_normal(c);
    case State::kBackslash:
      return step_backslash(c);
    case State::kReturn:
      return step_return(c);
    case State::kMarker:
    case State::kMarkerReturn:
      return step_marker(c);
    case State::kEnded:
      break;
  }
  return Step::kEnd;
}

// Quotes matter only for what ends a line: fields are read later.
void CopyLines::note_quotes(char c) {
  const bool has_escape = format_.escape != format_.quote;
  if (in_quote_ && has_escape && c == format_.escape) last_was_escape_ = !last_was_escape_;
  if (c == format_.quote && !last_was_escape_) in_quote_ = !in_quote_;
  if (!has_escape || c != format_.escape) last_was_escape_ = false;
  if (in_quote_ && c == (line_end_ == LineEnd::kNewline ? '\n' : '\r')) ++number_;
}

CopyLines::Step CopyLines::step_normal(char c) {
  const bool is_first = std::exchange(is_first_character_, false);
  if (is_csv_) note_quotes(c);
  if (!in_quote_ && c == '\r') {
    if (line_end_ == LineEnd::kReturn) return Step::kLine;
    if (line_end_ == LineEnd::kNewline) return stray_return();
    state_ = State::kReturn;
    return Step::kTaken;
  }
  if (!in_quote_ && c == '\n') {
    if (line_end_ == LineEnd::kReturn || line_end_ == LineEnd::kReturnNewline) {
      return is_csv_ ? fail("unquoted newline found in data",
                            "Use quoted CSV field to represent newline.")
                     : fail("literal newline found in data", "Use \"\\n\" to represent newline.");
    }
    line_end_ = LineEnd::kNewline;
    return Step::kLine;
  }
  if (c == '\\' && (!is_csv_ || is_first)) {
    state_ = State::kBackslash;
    return Step::kTaken;
  }
  line_.push_back(c);
  return Step::kTaken;
}

CopyLines::Step CopyLines::stray_return() {
  return is_csv_ ? fail("unquoted carriage return found in data",
                        "Use quoted CSV field to represent carriage return.")
                 : fail("literal carriage return found in data",
                        "Use \"\\r\" to represent carriage return.");
}

CopyLines::Step CopyLines::step_backslash(char c) {
  if (c == '.') {
    state_ = State::kMarker;
    return Step::kTaken;
  }
  state_ = State::kNormal;
  line_.push_back('\\');
  if (is_csv_) return Step::kNotTaken;
  line_.push_back(c);
  return Step::kTaken;
}

CopyLines::Step CopyLines::step_return(char c) {
  if (c == '\n') {
    line_end_ = LineEnd::kReturnNewline;
    return Step::kLine;
  }
  if (line_end_ == LineEnd::kReturnNewline) return stray_return();
  line_end_ = LineEnd::kReturn;
  return Step::kLineNotTaken;
}

// In csv format what is no marker is data.
CopyLines::Step CopyLines::not_a_marker() {
  line_.append("\\.");
  if (state_ == State::kMarkerReturn) line_.push_back('\r');
  state_ = State::kNormal;
  return Step::kNotTaken;
}

CopyLines::Step CopyLines::step_marker(char c) {
  const bool has_return = state_ == State::kMarkerReturn;
  if (line_end_ == LineEnd::kReturnNewline && !has_return) {
    if (c == '\r') {
      state_ = State::kMarkerReturn;
      return Step::kTaken;
    }
    if (is_csv_) return not_a_marker();
    return c == '\n' ? fail("end-of-copy marker does not match previous newline style")
                     : fail("end-of-copy marker corrupt");
  }
  if (c != '\r' && c != '\n') return is_csv_ ? not_a_marker() : fail("end-of-copy marker corrupt");
  const bool fits =
      line_end_ == LineEnd::kUnknown || (line_end_ == LineEnd::kReturn ? c == '\r' : c == '\n');
  if (!fits) {
    return is_csv_ ? not_a_marker()
                   : fail("end-of-copy marker does not match previous newline style");
  }
  return end_of_data();
}

CopyLines::Step CopyLines::end_of_data() {
  if (line_.empty()) return Step::kEnd;
  ends_after_line_ = true;
  return Step::kLine;
}

CopyLines::Outcome CopyLines::finish() {
  switch (state_) {
    case State::kLineIsOver:
    case State::kEnded:
      return Outcome::kEnd;
    case State::kReturn:
      if (line_end_ == LineEnd::kReturnNewline) return give(stray_return());
      return give(Step::kLine);
    case State::kMarker:
    case State::kMarkerReturn:
      if (!is_csv_) return give(fail("end-of-copy marker corrupt"));
      not_a_marker();
      break;
    case State::kBackslash:
      line_.push_back('\\');
      break;
    case State::kNormal:
      break;
  }
  return give(line_.empty() ? Step::kEnd : Step::kLine);
}

CopyLines::Step CopyLines::fail(std::string_view message, std::string_view hint) {
  error_ = {.sqlstate = sqlstate::kBadCopyFormat,
            .message = std::string(message),
            .hint = std::string(hint)};
  return Step::kError;
}

}  // namespace partywall::sql
