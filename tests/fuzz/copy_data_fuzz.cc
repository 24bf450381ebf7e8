// The data of a COPY in each format, whole and in pieces of every size: the same rows or the same
// error, no more values than columns, and never more than one row in memory.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sql/copy/copy_decoder.h"

namespace {

using namespace partywall::sql;
using Outcome = CopyDecoder::Outcome;

constexpr size_t kMaxRow = 256;

void require(bool fine) {
  if (!fine) std::abort();
}

void note(const CopyRow& row, std::string& all) {
  size_t bytes = 0;
  require(row.values.size() == 2);
  for (const auto& value : row.values) {
    all += value ? "[" + *value + "]" : "NULL";
    bytes += value ? value->size() : 0;
  }
  require(bytes <= kMaxRow + 2);
  all += std::to_string(row.line) + "\n";
}

std::string decoded(const CopyFormat& format, std::string_view data, size_t split) {
  CopyDecoder decoder(format, {"a", "b"}, kMaxRow);
  std::string all;
  while (!data.empty()) {
    std::string_view part = data.substr(0, split);
    data.remove_prefix(part.size());
    for (Outcome outcome = Outcome::kRow; outcome == Outcome::kRow;) {
      outcome = decoder.next(part);
      if (outcome == Outcome::kRow) note(decoder.row(), all);
      if (outcome == Outcome::kError) return all + decoder.error().message;
    }
  }
  while (true) {
    const Outcome outcome = decoder.finish();
    if (outcome == Outcome::kError) return all + decoder.error().message;
    if (outcome != Outcome::kRow) return all;
    note(decoder.row(), all);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  CopyFormat format;
  format.kind = static_cast<CopyFormat::Kind>(data[0] % 3);
  if (format.kind == CopyFormat::Kind::kCsv) {
    format.delimiter = ',';
    format.null = "";
    if ((data[0] & 8) != 0) format.escape = '\\';
    if ((data[0] & 16) != 0) format.force_null = {"a"};
  }
  format.has_header = format.kind != CopyFormat::Kind::kBinary && (data[0] & 32) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  require(decoded(format, text, SIZE_MAX) == decoded(format, text, size_t{data[1]} % 16 + 1));
  return 0;
}
