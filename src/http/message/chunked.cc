#include "http/message/chunked.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hex.h"
#include "http/message/characters.h"

namespace partywall::http {

BodyStep ChunkedDecoder::fail(std::string_view why) const {
  return {.status = ParseStatus::kInvalid, .fault = why};
}

BodyStep ChunkedDecoder::decode(std::string_view bytes) {
  if (bytes.empty()) return {};
  switch (state_) {
    case State::kSize:
    case State::kExtension:
    case State::kSizeEnd:
      return decode_size(bytes);
    case State::kData:
      return decode_data(bytes);
    case State::kDataCr:
    case State::kDataLf:
      return decode_data_end(bytes);
    case State::kTrailers:
      return decode_trailers(bytes);
  }
  return fail("broken");
}

// False: the byte cannot be there, fault_ says why.
bool ChunkedDecoder::take_size_byte(char c) {
  if (++line_bytes_ > limits_.max_size_line_bytes) {
    fault_ = "a chunk's size line is too long";
    return false;
  }
  if (state_ == State::kSize) {
    if (const int digit = hex_value(c); digit >= 0) {
      if (left_ >> 59) {
        fault_ = "a chunk's size is too large";
        return false;
      }
      left_ = left_ * 16 + static_cast<uint64_t>(digit);
      has_digit_ = true;
      return true;
    }
    if (!has_digit_ || (c != '\r' && c != ';')) {
      fault_ = "a chunk's size is malformed";
      return false;
    }
    state_ = c == '\r' ? State::kSizeEnd : State::kExtension;
    return true;
  }
  if (state_ == State::kExtension) {
    if (c == '\r') {
      state_ = State::kSizeEnd;
      return true;
    }
    fault_ = !is_field_value({&c, 1}) ? "a chunk extension has an illegal character"
             : ++extension_bytes_ > limits_.max_extension_bytes
                 ? "there are too many chunk extensions"
                 : "";
    return fault_.empty();
  }
  fault_ = "a chunk's size line ends without LF";
  return c == '\n';
}

BodyStep ChunkedDecoder::decode_size(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const bool at_end = state_ == State::kSizeEnd;
    if (!take_size_byte(bytes[i])) return fail(fault_);
    if (!at_end) continue;
    state_ = left_ > 0 ? State::kData : State::kTrailers;
    line_bytes_ = 0;
    has_digit_ = false;
    return {.consumed = i + 1};
  }
  return {.consumed = bytes.size()};
}

BodyStep ChunkedDecoder::decode_data(std::string_view bytes) {
  const size_t count = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
  left_ -= count;
  if (left_ == 0) state_ = State::kDataCr;
  return {.consumed = count, .data = bytes.substr(0, count)};
}

BodyStep ChunkedDecoder::decode_data_end(std::string_view bytes) {
  size_t consumed = 0;
  if (state_ == State::kDataCr) {
    if (bytes[consumed++] != '\r') return fail("a chunk is longer than its size");
    state_ = State::kDataLf;
  }
  if (consumed == bytes.size()) return {.consumed = consumed};
  if (bytes[consumed++] != '\n') return fail("a chunk is longer than its size");
  state_ = State::kSize;
  return {.consumed = consumed};
}

BodyStep ChunkedDecoder::decode_trailers(std::string_view bytes) {
  // Nearly always there are none, and the empty line is there.
  if (trailer_bytes_.empty() && bytes.starts_with("\r\n")) {
    return {.status = ParseStatus::kComplete, .consumed = 2};
  }
  const size_t before = trailer_bytes_.size();
  trailer_bytes_.append(bytes.substr(0, limits_.trailers.max_bytes + 1 - before));
  if (!bytes.contains('\n') && trailer_bytes_.size() <= limits_.trailers.max_bytes) {
    return {.consumed = bytes.size()};
  }
  size_t size = 0;
  const auto parsed = parse_trailers(trailer_bytes_, limits_.trailers, trailers_, size);
  if (parsed.status == ParseStatus::kInvalid) return fail(parsed.fault.reason);
  if (parsed.status == ParseStatus::kNeedMore) return {.consumed = bytes.size()};
  return {.status = ParseStatus::kComplete, .consumed = size - before};
}

void append_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), data.size(), 16).ptr;
  out.append(digits.data(), end);
  out += "\r\n";
  out += data;
  out += "\r\n";
}

void append_last_chunk(std::string& out, std::string_view trailers) {
  out += "0\r\n";
  out += trailers;
  out += "\r\n";
}

}  // namespace partywall::http
