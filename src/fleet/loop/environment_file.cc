#include "fleet/loop/environment_file.h"

#include <algorithm>

namespace partywall::fleet {

Result<std::pair<std::string, Secret>> parse_assignment(std::string_view text) {
  const size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals == text.npos ? 0 : equals);
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_name_character = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  if (name.empty() || !is_letter(name.front()) || !std::ranges::all_of(name, is_name_character)) {
    return fail(ErrorKind::kInvalid,
                "a variable is written NAME=value, the name of letters, digits and '_'");
  }
  const std::string_view value = text.substr(equals + 1);
  if (value.contains('\0')) return fail(ErrorKind::kInvalid, "{} holds a NUL byte", name);
  return std::pair(std::string(name), Secret(std::string(value)));
}

Result<std::map<std::string, Secret>> parse_environment_file(std::string_view text) {
  std::map<std::string, Secret> variables;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (row.empty() || row.starts_with('#')) continue;
    auto variable = parse_assignment(row);
    if (!variable) return fail(ErrorKind::kInvalid, "line {}: {}", line, variable.error().message);
    const std::string name = variable->first;
    if (!variables.insert(*std::move(variable)).second) {
      return fail(ErrorKind::kInvalid, "line {}: {} is set twice", line, name);
    }
  }
  return variables;
}

}  // namespace partywall::fleet
