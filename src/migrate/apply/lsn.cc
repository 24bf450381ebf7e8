#include "migrate/apply/lsn.h"

#include <charconv>

#include <fmt/format.h>

namespace partywall::migrate {
namespace {

constexpr uint64_t kLogPage = 8192;          // XLOG_BLCKSZ
constexpr uint64_t kLongestPageHeader = 40;  // of the first page of a segment

bool parse_half(std::string_view text, uint32_t& half) {
  if (text.empty() || text.size() > 8) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), half, 16);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_string(Lsn lsn) {
  return fmt::format("{:X}/{:X}", lsn.value >> 32, lsn.value & 0xFFFFFFFF);
}

Result<Lsn> parse_lsn(std::string_view text) {
  const size_t slash = text.find('/');
  uint32_t high = 0, low = 0;
  if (slash == std::string_view::npos || !parse_half(text.substr(0, slash), high) ||
      !parse_half(text.substr(slash + 1), low)) {
    return fail(ErrorKind::kInvalid,
                "\"{}\" is no place in a write-ahead log; one is written like 16/B374D848", text);
  }
  return Lsn{(uint64_t{high} << 32) | low};
}

bool has_reached(Lsn sent, Lsn wanted) {
  if (sent >= wanted) return true;
  return sent.value % kLogPage == 0 && wanted.value - sent.value <= kLongestPageHeader;
}

}  // namespace partywall::migrate
