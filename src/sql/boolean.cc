#include "sql/boolean.h"

#include <array>

#include "base/ascii.h"
#include "sql/settings.h"

namespace partywall::sql {
namespace {

struct Spelling {
  std::string_view word;
  size_t shortest;  // so many of its letters are enough
  bool value;
};

constexpr std::array kSpellings{Spelling{"true", 1, true}, Spelling{"false", 1, false},
                                Spelling{"yes", 1, true},  Spelling{"no", 1, false},
                                Spelling{"on", 2, true},   Spelling{"off", 2, false},
                                Spelling{"1", 1, true},    Spelling{"0", 1, false}};

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r\f\v";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string_view word = without_blanks(text);
  for (const Spelling& spelling : kSpellings) {
    if (word.size() >= spelling.shortest && word.size() <= spelling.word.size() &&
        equal_ignoring_case(word, spelling.word.substr(0, word.size())))
      return spelling.value;
  }
  return std::nullopt;
}

}  // namespace partywall::sql
