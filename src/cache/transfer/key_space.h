#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace partywall::cache {

// Where the keys of one of a tenant's databases are within a Redis: in a database of their own, or
// behind a prefix that all of them have (then `prefix` is not empty), or both.
struct KeySpace {
  uint32_t number = 0;    // that the tenant's clients know it by
  uint32_t database = 0;  // Redis's
  std::string prefix{};
  // In prefix mode: `prefix` is the root of the tenant's keys, and they are those of all its
  // databases (prefix/key_prefix.h).
  bool all_databases = false;

  // The pattern that these keys match, and no others.
  [[nodiscard]] std::string pattern() const;
  [[nodiscard]] bool holds(std::string_view key) const;
};

// A pattern that matches `text` alone: what is special in patterns is escaped.
std::string escape_pattern(std::string_view text);

}  // namespace partywall::cache
