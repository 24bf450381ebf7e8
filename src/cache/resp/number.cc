#include "cache/resp/number.h"

namespace partywall::cache {

NumberLine read_any_number_line(std::string_view bytes, size_t at) {
  constexpr size_t kMaxDigits = 10;
  uint64_t value = 0;
  size_t position = at;
  while (position < bytes.size() && bytes[position] >= '0' && bytes[position] <= '9') {
    if (position - at == kMaxDigits) return {NumberLine::Status::kInvalid};
    value = value * 10 + static_cast<uint64_t>(bytes[position++] - '0');
  }
  const bool leading_zero = position - at > 1 && bytes[at] == '0';
  if (leading_zero) return {NumberLine::Status::kInvalid};
  if (position == bytes.size()) return {NumberLine::Status::kIncomplete};
  if (position == at || bytes[position] != '\r') return {NumberLine::Status::kInvalid};
  if (position + 1 == bytes.size()) return {NumberLine::Status::kIncomplete};
  if (bytes[position + 1] != '\n') return {NumberLine::Status::kInvalid};
  return {NumberLine::Status::kComplete, value, position + 2};
}

}  // namespace partywall::cache
