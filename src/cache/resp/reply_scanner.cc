#include "cache/resp/reply_scanner.h"

#include <algorithm>
#include <cstring>

#include "cache/resp/number.h"

namespace partywall::cache {
namespace {
constexpr uint8_t kMaxDigits = 10;
constexpr uint64_t kMaxMissing = uint64_t{1} << 40;

size_t find_carriage_return(std::string_view bytes, size_t from) {
  const void* found = std::memchr(bytes.data() + from, '\r', bytes.size() - from);
  return found ? static_cast<size_t>(static_cast<const char*>(found) - bytes.data()) : bytes.size();
}

bool has_line_end_at(std::string_view bytes, size_t at) {
  return bytes.size() >= at + 2 && bytes[at] == '\r' && bytes[at + 1] == '\n';
}

// Of a status, a number or a bulk string that is there as a whole, as nearly all replies are: how
// long it is. 0 of anything else.
size_t length_if_simple(std::string_view bytes) {
  if (bytes[0] == '+' || bytes[0] == ':') {
    const size_t end = find_carriage_return(bytes, 1);
    return has_line_end_at(bytes, end) ? end + 2 : 0;
  }
  if (bytes[0] != '$') return 0;
  const NumberLine length = read_number_line(bytes, 1);
  if (length.status != NumberLine::Status::kComplete) return 0;
  const size_t end = length.end + length.value;
  return has_line_end_at(bytes, end) ? end + 2 : 0;
}
}  // namespace

ReplyScanner::Step ReplyScanner::scan(std::string_view bytes) {
  if (!inside_reply() && !bytes.empty()) {
    if (const size_t length = length_if_simple(bytes); length > 0) {
      type_ = bytes[0];
      nulls_ = 0;
      return {Status::kReply, length};
    }
  }
  size_t at = 0;
  while (at < bytes.size()) {
    if (!step_over(bytes, at)) return {Status::kInvalid, at};
    if (missing_ == 0) {
      missing_ = 1;
      return {Status::kReply, at};
    }
  }
  return {Status::kIncomplete, at};
}

bool ReplyScanner::step_over(std::string_view bytes, size_t& at) {
  switch (state_) {
    case State::kType:
      return begin_value(bytes[at++]);
    case State::kLine:
      at = find_carriage_return(bytes, at);
      if (at < bytes.size()) {
        ++at;
        state_ = State::kLineFeed;
      }
      return true;
    case State::kNumber:
      if (bytes[at] != '\r') return take_digit(bytes[at++]);
      ++at;
      state_ = State::kNumberLineFeed;
      return digits_ > 0;
    case State::kBulk: {
      const size_t part = std::min<uint64_t>(number_, bytes.size() - at);
      at += part;
      number_ -= part;
      if (number_ == 0) state_ = State::kBulkCr;
      return true;
    }
    case State::kBulkCr:
      state_ = State::kBulkLf;
      return bytes[at++] == '\r';
    case State::kLineFeed:
    case State::kBulkLf:
      value_ends();
      return bytes[at++] == '\n';
    case State::kNumberLineFeed:
      return bytes[at++] == '\n' && end_of_number();
  }
  return false;
}

bool ReplyScanner::begin_value(char type) {
  if (value_type_ == 0) {
    type_ = type;
    nulls_ = 0;
  }
  if (type == '_') ++nulls_;
  value_type_ = type;
  number_ = 0;
  digits_ = 0;
  negative_ = false;
  switch (type) {
    case '+':
    case '-':
    case ':':
    case '_':
    case '#':
    case ',':
    case '(':
      state_ = State::kLine;
      return true;
    case '$':
    case '*':
    case '%':
    case '~':
    case '>':
    case '|':
    case '=':
    case '!':
      state_ = State::kNumber;
      return true;
    default:
      return false;
  }
}

bool ReplyScanner::take_digit(char digit) {
  if (digit == '-' && digits_ == 0 && !negative_) {
    negative_ = true;
    return true;
  }
  if (digit < '0' || digit > '9' || ++digits_ > kMaxDigits) return false;
  number_ = number_ * 10 + static_cast<uint64_t>(digit - '0');
  return true;
}

bool ReplyScanner::end_of_number() {
  if (negative_) {
    // RESP2's null bulk string and null array.
    if (number_ != 1 || (value_type_ != '$' && value_type_ != '*')) return false;
    ++nulls_;
    value_ends();
    return true;
  }
  if (value_type_ == '$' || value_type_ == '=' || value_type_ == '!') {
    state_ = number_ > 0 ? State::kBulk : State::kBulkCr;
    return true;
  }
  const bool pairs = value_type_ == '%' || value_type_ == '|';
  // An attribute comes before the value it belongs to: it does not count as one itself.
  const bool attribute = value_type_ == '|';
  missing_ += number_ * (pairs ? 2 : 1);
  if (missing_ > kMaxMissing) return false;
  if (attribute) {
    state_ = State::kType;
  } else {
    value_ends();
  }
  return true;
}

void ReplyScanner::value_ends() {
  state_ = State::kType;
  --missing_;
  if (missing_ == 0) value_type_ = 0;
}

}  // namespace partywall::cache
