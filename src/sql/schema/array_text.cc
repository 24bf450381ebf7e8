#include "sql/schema/array_text.h"

namespace partywall::sql {

std::string to_array_text(const std::vector<std::string>& elements) {
  std::string text = "{";
  for (const std::string& element : elements) {
    if (text.size() > 1) text += ',';
    text += '"';
    for (const char c : element) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text += '}';
}

std::vector<std::string> from_array_text(std::string_view text) {
  std::vector<std::string> elements;
  if (text.size() <= 2) return elements;
  bool quoted = false;
  elements.emplace_back();
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 2 < text.size()) {
      elements.back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      elements.emplace_back();
    } else {
      elements.back() += c;
    }
  }
  return elements;
}

}  // namespace partywall::sql
