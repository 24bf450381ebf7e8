#include "cache/resp/inline_request.h"

#include <utility>
#include <vector>

#include "base/hex.h"
#include "cache/resp/resp_writer.h"

namespace partywall::cache {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\v' || c == '\f' || c == '\0';
}

char unescape(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return letter;
  }
}

class WordReader {
 public:
  explicit WordReader(std::string_view line) : rest_(line) {}

  bool skip_to_word() {
    while (!rest_.empty() && is_space(rest_[0])) rest_.remove_prefix(1);
    return !rest_.empty();
  }

  // False on unbalanced quotes.
  bool read_word(std::string& word) {
    while (!rest_.empty() && !is_space(rest_[0])) {
      const char c = take();
      if (c != '"' && c != '\'') {
        word += c;
        continue;
      }
      const bool closed = c == '"' ? read_double_quoted(word) : read_single_quoted(word);
      // A closing quote must end the word, otherwise "foo"bar would be ambiguous.
      if (!closed || (!rest_.empty() && !is_space(rest_[0]))) return false;
    }
    return true;
  }

 private:
  char take() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  bool read_double_quoted(std::string& word) {
    while (!rest_.empty()) {
      const char c = take();
      if (c == '"') return true;
      if (c != '\\' || rest_.empty()) {
        word += c;
      } else if (is_hex_escape()) {
        word += static_cast<char>(hex_value(rest_[1]) * 16 + hex_value(rest_[2]));
        rest_.remove_prefix(3);
      } else {
        word += unescape(take());
      }
    }
    return false;
  }

  bool read_single_quoted(std::string& word) {
    while (!rest_.empty()) {
      const char c = take();
      if (c == '\'') return true;
      word += c == '\\' && rest_.starts_with('\'') ? take() : c;
    }
    return false;
  }

  [[nodiscard]] bool is_hex_escape() const {
    return rest_.size() >= 3 && rest_[0] == 'x' && hex_value(rest_[1]) >= 0 &&
           hex_value(rest_[2]) >= 0;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<uint32_t> inline_to_array(std::string_view line, std::string& out) {
  std::vector<std::string> words;
  WordReader reader(line);
  while (reader.skip_to_word()) {
    std::string word;
    if (!reader.read_word(word)) return std::nullopt;
    words.push_back(std::move(word));
  }
  out.clear();
  append_array_header(out, words.size());
  for (const std::string& word : words) append_bulk(out, word);
  return static_cast<uint32_t>(words.size());
}

}  // namespace partywall::cache
