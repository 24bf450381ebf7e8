#include "cache/transfer/key_space.h"

#include "cache/prefix/key_prefix.h"

namespace partywall::cache {

std::string escape_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]\\^").contains(c)) out += '\\';
    out += c;
  }
  return out;
}

std::string KeySpace::pattern() const {
  return escape_pattern(prefix).append(all_databases ? kAnyDatabase : "*");
}

bool KeySpace::holds(std::string_view key) const {
  return all_databases ? is_own_key(key, prefix) : key.starts_with(prefix);
}

}  // namespace partywall::cache
