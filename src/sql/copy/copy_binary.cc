#include "sql/copy/copy_binary.h"

#include <fmt/format.h>

#include "sql/wire/field_reader.h"

namespace partywall::sql {
namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr size_t kHeaderBytes = kSignature.size() + 8;
constexpr uint32_t kHasOids = 1U << 16;
constexpr uint32_t kCriticalFlags = 0xffff0000;

}  // namespace

CopyBinary::CopyBinary(size_t columns, size_t max_row_bytes)
    : columns_(columns), max_row_bytes_(max_row_bytes), wanted_(kHeaderBytes) {}

CopyBinary::Outcome CopyBinary::next(std::string_view& input, CopyRow& row) {
  while (true) {
    if (state_ == State::kEnded) {
      if (input.empty()) return Outcome::kEnd;
      return fail("received copy data after EOF marker");
    }
    if (!collect(input)) return Outcome::kNeedMore;
    const Outcome outcome = take(row);
    if (outcome == Outcome::kRow || outcome == Outcome::kError) return outcome;
  }
}

bool CopyBinary::collect(std::string_view& input) {
  const std::string_view part = input.substr(0, wanted_ - buffer_.size());
  // Of the header's extension nothing is wanted.
  if (state_ == State::kExtension) {
    wanted_ -= part.size();
    input.remove_prefix(part.size());
    return wanted_ == 0;
  }
  buffer_.append(part);
  input.remove_prefix(part.size());
  return buffer_.size() == wanted_;
}

void CopyBinary::expect(State state, size_t bytes) {
  state_ = state;
  wanted_ = bytes;
  buffer_.clear();
}

// kNeedMore: go on.
CopyBinary::Outcome CopyBinary::take(CopyRow& row) {
  switch (state_) {
    case State::kHeader:
      return take_header();
    case State::kExtension:
      expect(State::kCount, 2);
      return Outcome::kNeedMore;
    case State::kCount:
      return take_count(row);
    case State::kLength:
      return take_length(row);
    case State::kValue:
      row.values[column_] = buffer_;
      return value_done();
    case State::kEnded:
      break;
  }
  return Outcome::kEnd;
}

CopyBinary::Outcome CopyBinary::take_header() {
  FieldReader reader(buffer_);
  if (reader.bytes(kSignature.size()) != kSignature)
    return fail("COPY file signature not recognized");
  const uint32_t flags = reader.u32();
  const uint32_t extension = reader.u32();
  if ((flags & kHasOids) != 0) return fail("invalid COPY file header (WITH OIDS)");
  if ((flags & kCriticalFlags) != 0) return fail("unrecognized critical flags in COPY file header");
  if (extension > INT32_MAX) return fail("invalid COPY file header (missing length)");
  expect(State::kExtension, extension);
  return Outcome::kNeedMore;
}

CopyBinary::Outcome CopyBinary::take_count(CopyRow& row) {
  const auto count = static_cast<int16_t>(load_u16(buffer_));
  ++number_;
  if (count == -1) {
    state_ = State::kEnded;
    return Outcome::kEnd;
  }
  if (count < 0 || static_cast<size_t>(count) != columns_)
    return fail(fmt::format("row field count is {}, expected {}", count, columns_));
  row.values.resize(columns_);
  column_ = row_bytes_ = 0;
  expect(State::kLength, 4);
  return Outcome::kNeedMore;
}

CopyBinary::Outcome CopyBinary::take_length(CopyRow& row) {
  const auto length = static_cast<int32_t>(load_u32(buffer_));
  if (length == -1) {
    row.values[column_].reset();
    return value_done();
  }
  if (length < 0) return fail("invalid field size");
  row_bytes_ += static_cast<size_t>(length);
  if (row_bytes_ > max_row_bytes_) {
    error_ = {.sqlstate = sqlstate::kProgramLimit,
              .message = fmt::format("a row of the data is longer than {} bytes", max_row_bytes_),
              .hint = "Send it with INSERT."};
    return Outcome::kError;
  }
  expect(State::kValue, static_cast<size_t>(length));
  return Outcome::kNeedMore;
}

CopyBinary::Outcome CopyBinary::value_done() {
  if (++column_ < columns_) {
    expect(State::kLength, 4);
    return Outcome::kNeedMore;
  }
  expect(State::kCount, 2);
  return Outcome::kRow;
}

CopyBinary::Outcome CopyBinary::finish() {
  if (state_ == State::kEnded || (state_ == State::kCount && buffer_.empty())) return Outcome::kEnd;
  if (state_ == State::kHeader)
    return fail(buffer_.size() < kSignature.size() ? "COPY file signature not recognized"
                                                   : "invalid COPY file header (missing flags)");
  return fail("unexpected EOF in COPY data");
}

CopyBinary::Outcome CopyBinary::fail(std::string message) {
  error_ = {.sqlstate = sqlstate::kBadCopyFormat, .message = std::move(message), .hint = {}};
  return Outcome::kError;
}

}  // namespace partywall::sql
