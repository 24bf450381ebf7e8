#include "cache/transfer/key_space.h"

namespace partywall::cache {

std::string escape_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("*?[]\\^").contains(c)) out += '\\';
    out += c;
  }
  return out;
}

std::string KeySpace::pattern() const { return escape_pattern(prefix) + "*"; }

}  // namespace partywall::cache
