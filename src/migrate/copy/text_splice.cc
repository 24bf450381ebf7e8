#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "migrate/copy/copy_splice.h"

namespace partywall::migrate {
namespace {

constexpr char kFieldEnd = '\t';
constexpr char kLineEnd = '\n';

}  // namespace

TextSplice::TextSplice(const SpliceSettings& settings) : settings_(settings) {
  if (!settings.tenant) return;
  line_start_ = settings.tenant->to_string();
  if (settings.columns > 0) line_start_ += kFieldEnd;
}

Result<> TextSplice::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const size_t end = bytes.find(kLineEnd);
    const std::string_view part = bytes.substr(0, end);
    if (pending_.size() + part.size() > settings_.max_row_bytes) {
      return fail(ErrorKind::kLimit, "row {} of the COPY stream is longer than {} bytes",
                  sum_.rows + 1, settings_.max_row_bytes);
    }
    if (end == std::string_view::npos) {
      pending_.append(part);
      return {};
    }
    bytes.remove_prefix(end + 1);
    if (pending_.empty()) {
      if (auto taken = take_line(part, out); !taken) return taken;
      continue;
    }
    pending_.append(part);
    if (auto taken = take_line(pending_, out); !taken) return taken;
    pending_.clear();
  }
  return {};
}

Result<> TextSplice::take_line(std::string_view line, std::string& out) {
  if (line == "\\.") return fail(ErrorKind::kInvalid, "the COPY stream has an end-of-data marker");
  const auto ends = static_cast<size_t>(std::ranges::count(line, kFieldEnd));
  // A table without columns has empty lines.
  const bool fits = settings_.columns == 0 ? line.empty() : ends + 1 == settings_.columns;
  if (!fits) {
    return fail(ErrorKind::kInvalid, "row {} of the COPY stream has {} fields instead of {}",
                sum_.rows + 1, ends + 1, settings_.columns);
  }
  ++sum_.rows;
  sum_.hash += XXH3_64bits(line.data(), line.size());
  out.append(line_start_);
  out.append(line);
  out += kLineEnd;
  return {};
}

Result<> TextSplice::finish() const {
  if (pending_.empty()) return {};
  return fail(ErrorKind::kInvalid, "the COPY stream ends in the middle of row {}", sum_.rows + 1);
}

}  // namespace partywall::migrate
