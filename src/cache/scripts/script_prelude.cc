#include "cache/scripts/script_prelude.h"

#include <algorithm>

namespace partywall::cache {

std::string with_prelude(std::string_view script) {
  // Where it has no end Redis refuses the script, with the prelude as a part of it too.
  const size_t end = std::min(script.find('\n'), script.size() - 1);
  const size_t line = script.starts_with("#!") ? end + 1 : 0;
  std::string out;
  out.reserve(script.size() + kScriptPrelude.size());
  out += script.substr(0, line);
  out += kScriptPrelude;
  out += script.substr(line);
  return out;
}

}  // namespace partywall::cache
