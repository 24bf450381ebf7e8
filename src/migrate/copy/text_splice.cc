#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "migrate/copy/copy_splice.h"

namespace partywall::migrate {
namespace {

constexpr char kFieldEnd = '\t';
constexpr char kLineEnd = '\n';
// What COPY TO writes after a backslash.
constexpr std::string_view kEscapes = "bfnrtv\\N";

// COPY FROM takes a carriage return for the end of a line, what ends a line or a field after a
// backslash for a part of the value, and \. for the end of the data: its rows would be others.
bool has_only_known_escapes(std::string_view line) {
  if (line.contains('\r')) return false;
  for (size_t at = line.find('\\'); at != std::string_view::npos; at = line.find('\\', at + 2)) {
    if (at + 1 == line.size() || !kEscapes.contains(line[at + 1])) return false;
  }
  return true;
}

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
  if (!has_only_known_escapes(line)) {
    return fail(ErrorKind::kInvalid,
                "row {} of the COPY stream has a carriage return or an escape that PostgreSQL does "
                "not send: the source is not to be trusted",
                sum_.rows + 1);
  }
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
