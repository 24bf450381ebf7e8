#include "cache/glob.h"

#include <cstddef>
#include <utility>

namespace partywall::cache {
namespace {

// Matches one character against the class that begins behind '['; moves the pattern behind ']'.
bool class_matches(std::string_view& pattern, char c) {
  bool negated = false;
  if (pattern.starts_with('^')) {
    negated = true;
    pattern.remove_prefix(1);
  }
  bool found = false;
  while (!pattern.empty() && pattern[0] != ']') {
    if (pattern[0] == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
    char low = pattern[0];
    char high = low;
    if (pattern.size() > 2 && pattern[1] == '-' && pattern[2] != ']') {
      high = pattern[2];
      pattern.remove_prefix(2);
    }
    if (low > high) std::swap(low, high);
    if (c >= low && c <= high) found = true;
    pattern.remove_prefix(1);
  }
  if (!pattern.empty()) pattern.remove_prefix(1);
  return found != negated;
}

// Matches one character; moves the pattern behind what was matched.
bool one_matches(std::string_view& pattern, char c) {
  const char p = pattern[0];
  pattern.remove_prefix(1);
  if (p == '?') return true;
  if (p == '[') return class_matches(pattern, c);
  if (p != '\\' || pattern.empty()) return p == c;
  const char escaped = pattern[0];
  pattern.remove_prefix(1);
  return escaped == c;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  // On a mismatch the last '*' takes one character more: no recursion, at most |pattern| × |text|.
  std::string_view after_star;
  std::string_view star_text;
  bool star_seen = false;
  while (!text.empty()) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      after_star = pattern;
      star_text = text;
      star_seen = true;
      continue;
    }
    if (!pattern.empty() && one_matches(pattern, text[0])) {
      text.remove_prefix(1);
      continue;
    }
    if (!star_seen) return false;
    pattern = after_star;
    star_text.remove_prefix(1);
    text = star_text;
  }
  return pattern.find_first_not_of('*') == std::string_view::npos;
}

}  // namespace partywall::cache
