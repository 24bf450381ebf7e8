#include "sql/copy/escape_string.h"

#include "sql/copy/backslash.h"

namespace partywall::sql {
namespace {

bool is_escape_string(const Token& token) {
  return token.kind == TokenKind::kString && token.text.size() >= 3 &&
         (token.text[0] == 'E' || token.text[0] == 'e') && token.text[1] == '\'';
}

}  // namespace

std::optional<std::string> string_constant(const Token& token) {
  if (auto plain = token.string_value()) return plain;
  if (!is_escape_string(token) || token.text.size() > kMaxRecognisedValueLength)
    return std::nullopt;
  std::string_view rest = token.text.substr(2, token.text.size() - 3);
  std::string value;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '\\') {
      if (rest.empty() || rest.front() == 'u' || rest.front() == 'U') return std::nullopt;
      value.push_back(take_escaped(rest));
    } else if (c == '\'') {
      if (rest.empty() || rest.front() != '\'') return std::nullopt;  // goes on in another part
      rest.remove_prefix(1);
      value.push_back('\'');
    } else {
      value.push_back(c);
    }
  }
  if (value.find('\0') != std::string::npos) return std::nullopt;
  return value;
}

}  // namespace partywall::sql
