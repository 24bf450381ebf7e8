#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace partywall::cache {

// A count or length line: digits, CR, LF.
struct NumberLine {
  enum class Status { kComplete, kIncomplete, kInvalid };
  Status status = Status::kIncomplete;
  uint64_t value = 0;
  size_t end = 0;  // behind the LF
};

NumberLine read_any_number_line(std::string_view bytes, size_t at);

// Reads it at `at`. Canonical: no sign, no leading zero, at most ten digits.
inline NumberLine read_number_line(std::string_view bytes, size_t at) {
  // Nearly all have one or two digits, and there are several in each request.
  if (bytes.size() >= at + 4 && bytes[at] >= '1' && bytes[at] <= '9') {
    const char* const digits = bytes.data() + at;
    const auto first = static_cast<uint64_t>(digits[0] - '0');
    if (digits[1] == '\r' && digits[2] == '\n')
      return {NumberLine::Status::kComplete, first, at + 3};
    if (digits[1] >= '0' && digits[1] <= '9' && digits[2] == '\r' && digits[3] == '\n') {
      return {NumberLine::Status::kComplete, first * 10 + static_cast<uint64_t>(digits[1] - '0'),
              at + 4};
    }
  }
  return read_any_number_line(bytes, at);
}

}  // namespace partywall::cache
