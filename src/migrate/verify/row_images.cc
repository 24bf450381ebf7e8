#include "migrate/verify/row_images.h"

namespace partywall::migrate {
namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr size_t kHeaderBytes = kSignature.size() + 8;  // flags and the extension's length, all 0
constexpr int64_t kLongestRow = int64_t{1} << 30;       // PostgreSQL has none beyond
constexpr int64_t kNull = -1;

// Signed, as the format has it.
int64_t number_at(std::string_view bytes, size_t at, size_t width) {
  uint32_t value = 0;
  for (size_t i = 0; i < width; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return width == 2 ? static_cast<int16_t>(value) : static_cast<int32_t>(value);
}

}  // namespace

std::string_view RowImage::value(size_t field) const {
  const std::string_view image = fields(field, field + 1);
  return image.substr(4);
}

RowReader::RowReader(size_t columns, Visit visit)
    : columns_(columns), visit_(std::move(visit)), starts_(columns + 1) {}

std::string_view RowReader::rest() const { return piece_.substr(place_); }

Result<> RowReader::feed(std::string_view piece) {
  if (!left_over_.empty()) left_over_.append(piece);
  piece_ = left_over_.empty() ? piece : std::string_view(left_over_);
  place_ = 0;
  if (has_header_ || take_header()) {
    while (take_row()) {
    }
  }
  if (!problem_.empty()) return fail(ErrorKind::kInvalid, problem_);
  left_over_ = std::string(rest());
  return {};
}

bool RowReader::take_header() {
  const std::string_view begin = rest().substr(0, kHeaderBytes);
  if (begin.size() < kHeaderBytes) return false;
  if (!begin.starts_with(kSignature) ||
      begin.substr(kSignature.size()).find_first_not_of('\0') != std::string_view::npos) {
    problem_ = "the server's COPY stream does not begin as the binary format does";
    return false;
  }
  has_header_ = true;
  place_ += kHeaderBytes;
  return true;
}

bool RowReader::take_row() {
  const std::string_view bytes = rest();
  if (bytes.empty()) return false;
  if (has_trailer_) {
    problem_ = "the server's COPY stream goes on after its end";
    return false;
  }
  if (bytes.size() < 2) return false;
  const int64_t count = number_at(bytes, 0, 2);
  if (count == -1) {
    has_trailer_ = true;
    place_ += 2;
    return true;
  }
  if (count != static_cast<int64_t>(columns_)) {
    problem_ = fmt::format("a row has {} fields instead of {}", count, columns_);
    return false;
  }
  size_t end = 2;
  for (size_t i = 0; i < columns_; ++i) {
    starts_[i] = end;
    if (bytes.size() < end + 4) return false;
    const int64_t length = number_at(bytes, end, 4);
    if (length < kNull || length > kLongestRow) {
      problem_ = fmt::format("a field's length is {}", length);
      return false;
    }
    end += 4 + static_cast<size_t>(length == kNull ? 0 : length);
    if (bytes.size() < end) return false;
  }
  starts_[columns_] = end;
  visit_(RowImage(bytes, starts_));
  place_ += end;
  return true;
}

Result<> RowReader::finish() const {
  if (has_trailer_) return {};
  return fail(ErrorKind::kInvalid, "the server's COPY stream ends before its end");
}

}  // namespace partywall::migrate
