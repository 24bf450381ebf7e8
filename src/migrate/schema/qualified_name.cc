#include "migrate/schema/qualified_name.h"

namespace partywall::migrate {

sql::QualifiedName qualified_name(std::string_view text) {
  sql::QualifiedName name;
  std::string* part = &name.schema;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      *part += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted && part == &name.schema) {
      part = &name.name;
    } else {
      *part += c;
    }
  }
  return name;
}

}  // namespace partywall::migrate
