#include "sql/copy/copy_decoder.h"

namespace partywall::sql {
namespace {

bool is_binary(const CopyFormat& format) { return format.kind == CopyFormat::Kind::kBinary; }

}  // namespace

CopyDecoder::CopyDecoder(const CopyFormat& format, const std::vector<std::string>& columns,
                         size_t max_row_bytes)
    : reader_(Lines{.lines = CopyLines(format, max_row_bytes),
                    .fields = CopyFields(format, columns),
                    .skips_header = format.has_header}) {
  if (is_binary(format)) reader_.emplace<CopyBinary>(columns.size(), max_row_bytes);
}

CopyDecoder::Outcome CopyDecoder::next(std::string_view& input) {
  if (auto* binary = std::get_if<CopyBinary>(&reader_))
    return take(*binary, binary->next(input, row_));
  auto& text = std::get<Lines>(reader_);
  while (true) {
    const CopyLines::Outcome outcome = text.lines.next(input);
    if (outcome == CopyLines::Outcome::kLine && std::exchange(text.skips_header, false)) continue;
    return take(text, outcome);
  }
}

CopyDecoder::Outcome CopyDecoder::finish() {
  if (auto* binary = std::get_if<CopyBinary>(&reader_)) return take(*binary, binary->finish());
  auto& text = std::get<Lines>(reader_);
  const CopyLines::Outcome outcome = text.lines.finish();
  if (outcome == CopyLines::Outcome::kLine && std::exchange(text.skips_header, false))
    return Outcome::kEnd;
  return take(text, outcome);
}

CopyDecoder::Outcome CopyDecoder::take(Lines& text, CopyLines::Outcome outcome) {
  switch (outcome) {
    case CopyLines::Outcome::kNeedMore:
      return Outcome::kNeedMore;
    case CopyLines::Outcome::kEnd:
      return Outcome::kEnd;
    case CopyLines::Outcome::kError:
      error_ = text.lines.error();
      return Outcome::kError;
    case CopyLines::Outcome::kLine:
      break;
  }
  row_.line = text.lines.number();
  if (auto error = text.fields.read(text.lines.line(), row_)) {
    error_ = std::move(*error);
    return Outcome::kError;
  }
  return Outcome::kRow;
}

CopyDecoder::Outcome CopyDecoder::take(const CopyBinary& binary, CopyBinary::Outcome outcome) {
  switch (outcome) {
    case CopyBinary::Outcome::kNeedMore:
      return Outcome::kNeedMore;
    case CopyBinary::Outcome::kEnd:
      return Outcome::kEnd;
    case CopyBinary::Outcome::kError:
      error_ = binary.error();
      return Outcome::kError;
    case CopyBinary::Outcome::kRow:
      break;
  }
  row_.line = binary.number();
  return Outcome::kRow;
}

uint64_t CopyDecoder::line() const {
  if (const auto* binary = std::get_if<CopyBinary>(&reader_)) return binary->number();
  return std::get<Lines>(reader_).lines.number();
}

}  // namespace partywall::sql
