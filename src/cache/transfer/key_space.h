#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace partywall::cache {

// Where a tenant's keys are within a Redis: a database of their own, or a prefix that all of them
// have (then `prefix` is not empty), or both.
struct KeySpace {
  uint32_t database = 0;
  std::string prefix{};

  // The pattern that the tenant's keys match, and no others.
  [[nodiscard]] std::string pattern() const;
};

// A pattern that matches `text` alone: what is special in patterns is escaped.
std::string escape_pattern(std::string_view text);

}  // namespace partywall::cache
