#define XXH_INLINE_ALL
#include <xxhash.h>

#include "migrate/copy/copy_splice.h"
#include "sql/wire/message_writer.h"

namespace partywall::migrate {
namespace {

// Signature, flags and the length of the header's extension.
constexpr std::string_view kHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr size_t kCountBytes = 2;
constexpr size_t kLengthBytes = 4;
constexpr uint32_t kNull = 0xffffffff;
constexpr uint16_t kTrailer = 0xffff;

uint16_t read_u16(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                               static_cast<uint8_t>(bytes[at + 1]));
}

uint32_t read_u32(std::string_view bytes, size_t at) {
  return static_cast<uint32_t>(read_u16(bytes, at)) << 16 | read_u16(bytes, at + 2);
}

std::string start_of_rows(const SpliceSettings& settings) {
  std::string start;
  sql::append_u16(start, static_cast<uint16_t>(settings.columns + (settings.tenant ? 1 : 0)));
  if (!settings.tenant) return start;
  const auto& id = settings.tenant->bytes();
  sql::append_u32(start, static_cast<uint32_t>(id.size()));
  start.append(reinterpret_cast<const char*>(id.data()), id.size());
  return start;
}

}  // namespace

BinarySplice::BinarySplice(const SpliceSettings& settings)
    : settings_(settings), row_start_(start_of_rows(settings)) {}

Result<> BinarySplice::feed(std::string_view bytes, std::string& out) {
  // The server sends whole rows: then nothing is kept and nothing copied twice.
  if (pending_.empty()) {
    const auto taken = take_all(bytes, out);
    if (!taken) return std::unexpected(taken.error());
    pending_.assign(bytes.substr(*taken));
    return {};
  }
  pending_.append(bytes);
  const auto taken = take_all(pending_, out);
  if (!taken) return std::unexpected(taken.error());
  pending_.erase(0, *taken);
  return {};
}

// How many bytes were used up: all but an incomplete row.
Result<size_t> BinarySplice::take_all(std::string_view bytes, std::string& out) {
  size_t taken = 0;
  while (taken < bytes.size()) {
    if (state_ == State::kEnded)
      return fail(ErrorKind::kInvalid, "rows come after the end of the COPY stream");
    const std::string_view rest = bytes.substr(taken);
    const auto used = state_ == State::kHeader ? take_header(rest, out) : take_row(rest, out);
    if (!used) return used;
    if (*used == 0) break;
    taken += *used;
  }
  return taken;
}

// 0: it is not complete.
Result<size_t> BinarySplice::take_header(std::string_view bytes, std::string& out) {
  const std::string_view begin = bytes.substr(0, kHeader.size());
  if (begin != kHeader.substr(0, begin.size())) {
    return fail(ErrorKind::kInvalid,
                "the COPY stream does not begin as PostgreSQL's binary format does");
  }
  if (begin.size() < kHeader.size()) return 0;
  out.append(kHeader);
  state_ = State::kRows;
  return kHeader.size();
}

// 0: it is not complete.
Result<size_t> BinarySplice::take_row(std::string_view bytes, std::string& out) {
  if (bytes.size() < kCountBytes) return 0;
  const uint16_t count = read_u16(bytes, 0);
  if (count == kTrailer) {
    sql::append_u16(out, kTrailer);
    state_ = State::kEnded;
    return kCountBytes;
  }
  if (count != settings_.columns) {
    return fail(ErrorKind::kInvalid, "row {} of the COPY stream has {} fields instead of {}",
                sum_.rows + 1, count, settings_.columns);
  }
  const auto length = row_length(bytes);
  if (!length || *length == 0) return length;
  ++sum_.rows;
  sum_.hash += XXH3_64bits(bytes.data(), *length);
  out.append(row_start_);
  out.append(bytes, kCountBytes, *length - kCountBytes);
  return length;
}

// 0: it is not complete.
Result<size_t> BinarySplice::row_length(std::string_view bytes) const {
  size_t end = kCountBytes;
  for (uint16_t i = 0; i < settings_.columns; ++i) {
    if (bytes.size() - end < kLengthBytes) return 0;
    const uint32_t length = read_u32(bytes, end);
    end += kLengthBytes;
    if (length == kNull) continue;
    // `end` is at most the limit and a field at most 4 GiB: no overflow.
    if (end + length > settings_.max_row_bytes) {
      return fail(ErrorKind::kLimit, "row {} of the COPY stream is longer than {} bytes",
                  sum_.rows + 1, settings_.max_row_bytes);
    }
    if (bytes.size() - end < length) return 0;
    end += length;
  }
  return end;
}

Result<> BinarySplice::finish() const {
  if (state_ == State::kEnded) return {};
  return fail(ErrorKind::kInvalid, "the COPY stream ends in the middle, after {} rows", sum_.rows);
}

}  // namespace partywall::migrate
