#include "cache/prefix/scan_reply.h"

#include <charconv>

#include "cache/resp/number.h"

namespace partywall::cache {
namespace {

// Reads one piece after the other off the front of a reply; `ok` stays false after a mismatch.
struct Pieces {
  std::string_view rest;
  bool ok = true;

  uint64_t number(char type) {
    ok = ok && rest.starts_with(type);
    const NumberLine line = ok ? read_number_line(rest, 1) : NumberLine{};
    ok = ok && line.status == NumberLine::Status::kComplete;
    if (!ok) return 0;
    rest.remove_prefix(line.end);
    return line.value;
  }
  std::string_view bulk() {
    const uint64_t length = number('$');
    ok = ok && rest.size() >= length + 2 && rest.substr(length, 2) == "\r\n";
    if (!ok) return {};
    const std::string_view text = rest.substr(0, length);
    rest.remove_prefix(length + 2);
    return text;
  }
};

}  // namespace

std::optional<ScanReply> read_scan_reply(std::string_view reply, std::string_view prefix) {
  Pieces pieces{reply};
  if (pieces.number('*') != 2) return std::nullopt;
  ScanReply out;
  const std::string_view cursor = pieces.bulk();
  const auto [end, problem] =
      std::from_chars(cursor.data(), cursor.data() + cursor.size(), out.cursor);
  if (!pieces.ok || problem != std::errc() || end != cursor.data() + cursor.size())
    return std::nullopt;
  for (uint64_t left = pieces.number('*'); left > 0 && pieces.ok; --left) {
    const std::string_view key = pieces.bulk();
    if (!pieces.ok || !key.starts_with(prefix)) return std::nullopt;
    out.keys.push_back(key);
  }
  if (!pieces.ok || !pieces.rest.empty()) return std::nullopt;
  return out;
}

}  // namespace partywall::cache
