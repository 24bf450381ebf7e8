#include "cache/channel_names.h"

#include <optional>

#include "cache/resp/number.h"

namespace partywall::cache {
namespace {

bool is_channel(uint32_t index, Prefixed which) {
  switch (which) {
    case Prefixed::kFirstArgument:
      return index == 1;
    case Prefixed::kAllArguments:
      return index >= 1;
    case Prefixed::kAfterFirst:
      return index >= 2;
  }
  return false;
}

// Reads the elements of a flat array of bulk strings and integers.
class FlatArray {
 public:
  explicit FlatArray(std::string_view reply) : rest_(reply) {
    if (!rest_.starts_with('*')) return;
    const NumberLine count = read_number_line(rest_, 1);
    if (count.status != NumberLine::Status::kComplete) return;
    left_ = count.value;
    rest_.remove_prefix(count.end);
  }

  // A bulk string's text or an integer's digits; nothing at the end, or where it is something else.
  std::optional<std::string_view> next() {
    if (left_ == 0 || rest_.empty()) return std::nullopt;
    const NumberLine line = read_number_line(rest_, 1);
    const bool bulk = rest_[0] == '$';
    if (line.status != NumberLine::Status::kComplete || (!bulk && rest_[0] != ':'))
      return std::nullopt;
    const size_t end = bulk ? line.end + line.value + 2 : line.end;
    if (end > rest_.size()) return std::nullopt;
    const std::string_view text =
        bulk ? rest_.substr(line.end, line.value) : rest_.substr(1, line.end - 3);
    rest_.remove_prefix(end);
    --left_;
    return text;
  }

 private:
  std::string_view rest_;
  uint64_t left_ = 0;
};

}  // namespace

std::string with_channel_prefix(const Request& request, std::string_view prefix, Prefixed which) {
  std::string out;
  out.reserve(request.bytes.size() + request.argument_count * (prefix.size() + 2));
  append_array_header(out, request.argument_count);
  ArgumentCursor cursor(request);
  for (uint32_t index = 0; const auto argument = cursor.next(); ++index) {
    if (is_channel(index, which)) {
      append_prefixed_bulk(out, prefix, *argument);
    } else {
      append_bulk(out, *argument);
    }
  }
  return out;
}

std::string channels_without_prefix(std::string_view reply, std::string_view prefix) {
  std::string names;
  size_t count = 0;
  FlatArray array(reply);
  while (const auto name = array.next()) {
    if (!name->starts_with(prefix)) continue;
    append_bulk(names, name->substr(prefix.size()));
    ++count;
  }
  std::string out;
  append_array_header(out, count);
  return out + names;
}

std::string channel_counts_without_prefix(std::string_view reply, std::string_view prefix) {
  std::string pairs;
  size_t count = 0;
  FlatArray array(reply);
  while (const auto name = array.next()) {
    const auto subscribers = array.next();
    if (!subscribers || !name->starts_with(prefix)) continue;
    append_bulk(pairs, name->substr(prefix.size()));
    pairs += ':';
    pairs += *subscribers;
    pairs += "\r\n";
    ++count;
  }
  std::string out;
  append_array_header(out, count * 2);
  return out + pairs;
}

}  // namespace partywall::cache
