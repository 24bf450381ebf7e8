#include "cache/prefix/key_prefixer.h"

#include <algorithm>

#include "cache/resp/number.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {
// Options and numbers of keys are shorter.
constexpr uint64_t kLongestWord = 64;
// Stands for what is longer: neither an option nor a number.
constexpr std::string_view kNoWord = "an argument of more than 64 bytes";
}  // namespace

void KeyPrefixer::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      const NumberLine line = read_number_line(bytes, 1);
      begin_argument(bytes.substr(0, line.end), line.value, out);
      bytes.remove_prefix(line.end);
      continue;
    }
    const std::string_view part = bytes.substr(0, std::min<uint64_t>(left_, bytes.size()));
    bytes.remove_prefix(part.size());
    left_ -= part.size();
    if (!collecting_) {
      out += part;
      continue;
    }
    word_ += part;
    if (left_ > 0) continue;
    const size_t length = word_.size() - 2;
    append_begin(walk_.next(std::string_view(word_).substr(0, length)), line_, length, out);
    out += word_;
    collecting_ = false;
  }
}

void KeyPrefixer::begin_argument(std::string_view line, uint64_t length, std::string& out) {
  left_ = length + 2;
  if (walk_.no_more_keys()) {
    out += line;
    return;
  }
  collecting_ = length <= kLongestWord;
  if (collecting_) {
    line_ = line;
    word_.clear();
  } else {
    append_begin(walk_.next(kNoWord), line, length, out);
  }
}

void KeyPrefixer::append_begin(ArgumentRole role, std::string_view line, uint64_t length,
                               std::string& out) const {
  if (role == ArgumentRole::kOther) {
    out += line;
    return;
  }
  append_bulk_header(out, prefix_.size() + length);
  out += prefix_;
}

}  // namespace partywall::cache
