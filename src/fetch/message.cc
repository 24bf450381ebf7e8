#include "fetch/message.h"

#include <algorithm>

#include "base/ascii.h"

namespace partywall::fetch {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

std::optional<std::string_view> Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::optional<std::pair<std::string, std::string>> parse_header_line(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || line.starts_with("HTTP/"))
    return std::nullopt;
  return std::pair(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
}

}  // namespace partywall::fetch
