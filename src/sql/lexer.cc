#include "sql/lexer.h"

#include <charconv>

#include "base/ascii.h"

namespace partywall::sql {
namespace {

constexpr size_t kMaxIdentifierLength = 63;  // NAMEDATALEN - 1

constexpr bool is_newline(char c) { return c == '\n' || c == '\r'; }
// \v is a blank from PostgreSQL 16 on and an error before.
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f' || c == '\v' || is_newline(c);
}
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_identifier_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<uint8_t>(c) >= 0x80;
}
constexpr bool is_identifier_part(char c) {
  return is_identifier_start(c) || is_digit(c) || c == '$';
}
constexpr bool is_operator_part(char c) {
  return std::string_view("~!@#^&|`?+-*/%<>=").find(c) != std::string_view::npos;
}

std::string without_doubled(std::string_view inner, char quote) {
  std::string value;
  value.reserve(inner.size());
  for (size_t i = 0; i < inner.size(); ++i) {
    value += inner[i];
    if (inner[i] == quote) ++i;
  }
  return value;
}

}  // namespace

bool Token::is_word(std::string_view lower_case_word) const {
  if (kind != TokenKind::kWord || text.size() != lower_case_word.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (to_lower(text[i]) != lower_case_word[i]) return false;
  }
  return true;
}

std::optional<std::string> Token::identifier() const {
  if (text.size() > kMaxIdentifierLength + 2) return std::nullopt;
  std::string name;
  if (kind == TokenKind::kWord) {
    name = text;
    for (char& c : name) c = to_lower(c);
  } else if (kind == TokenKind::kQuotedIdentifier) {
    name = without_doubled(text.substr(1, text.size() - 2), '"');
  }
  if (name.empty() || name.size() > kMaxIdentifierLength) return std::nullopt;
  return name;
}

std::optional<std::string> Token::string_value() const {
  if (kind != TokenKind::kString || !is_literal || text.size() > kMaxRecognisedValueLength)
    return std::nullopt;
  if (text[0] == '$') {
    const size_t tag_length = text.find('$', 1) + 1;
    return std::string(text.substr(tag_length, text.size() - 2 * tag_length));
  }
  const std::string_view quoted = text.substr(text.find('\''));
  return without_doubled(quoted.substr(1, quoted.size() - 2), '\'');
}

std::optional<uint16_t> Token::parameter_number() const {
  uint16_t number = 0;
  if (kind != TokenKind::kParameter) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

Token Lexer::next() {
  if (!skip_blanks_and_comments()) return fail();
  if (position_ == sql_.size()) return make(TokenKind::kEnd, position_);
  const size_t start = position_;
  const char c = sql_[position_];
  if (is_identifier_start(c)) return word_or_prefixed_string();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
  switch (c) {
    case '\0':
      return fail();
    case '\'':
      return quoted(TokenKind::kString, start, '\'',
                    syntax_.standard_conforming_strings ? Escapes::kNone : Escapes::kBackslash);
    case '"':
      return quoted(TokenKind::kQuotedIdentifier, start, '"', Escapes::kNone);
    case '$':
      return dollar();
    case ';':
      ++position_;
      return make(TokenKind::kSemicolon, start);
    default:
      return operator_or_symbol();
  }
}

Token Lexer::fail() {
  position_ = sql_.size();
  return {TokenKind::kError, {}, false};
}

// False at an unterminated comment.
bool Lexer::skip_blanks_and_comments() {
  while (position_ < sql_.size()) {
    if (is_blank(sql_[position_])) {
      ++position_;
    } else if (peek() == '-' && peek(1) == '-') {
      while (position_ < sql_.size() && !is_newline(sql_[position_])) ++position_;
    } else if (peek() == '/' && peek(1) == '*') {
      if (!skip_block_comment()) return false;
    } else {
      break;
    }
  }
  return true;
}

// Block comments nest.
bool Lexer::skip_block_comment() {
  size_t depth = 0;
  while (position_ < sql_.size()) {
    if (peek() == '/' && peek(1) == '*') {
      ++depth;
      position_ += 2;
    } else if (peek() == '*' && peek(1) == '/') {
      position_ += 2;
      if (--depth == 0) return true;
    } else {
      ++position_;
    }
  }
  return false;
}

bool Lexer::starts_comment(size_t at) const {
  return sql_.substr(at, 2) == "--" || sql_.substr(at, 2) == "/*";
}

Token Lexer::word_or_prefixed_string() {
  const size_t start = position_;
  const char first = to_lower(sql_[start]);
  if (peek(1) == '\'') {
    position_ += 1;
    if (first == 'e') return quoted(TokenKind::kString, start, '\'', Escapes::kBackslash);
    if (first == 'b' || first == 'x')
      return quoted(TokenKind::kOtherString, start, '\'', Escapes::kNone);
    // N'…' is read like '…' behind a keyword (scan.l, xnstart).
    if (first == 'n') {
      return quoted(TokenKind::kOtherString, start, '\'',
                    syntax_.standard_conforming_strings ? Escapes::kNone : Escapes::kBackslash);
    }
    position_ = start;
  }
  // U&'…' is an error unless standard_conforming_strings is on, and has no backslash-quote.
  if (first == 'u' && peek(1) == '&' && (peek(2) == '\'' || peek(2) == '"')) {
    position_ += 2;
    return quoted(TokenKind::kOtherString, start, peek(), Escapes::kNone);
  }
  while (position_ < sql_.size() && is_identifier_part(sql_[position_])) ++position_;
  return make(TokenKind::kWord, start);
}

// position_ is at the opening quote.
Token Lexer::quoted(TokenKind kind, size_t start, char quote, Escapes escapes) {
  bool is_literal = true;
  do {
    ++position_;
    if (!skip_to_closing_quote(quote, escapes, is_literal)) return fail();
    const size_t end = position_;
    if (quote == '"' || !skip_to_continuation()) {
      position_ = end;
      break;
    }
    is_literal = false;
  } while (true);
  Token token = make(kind, start);
  token.is_literal = is_literal;
  return token;
}

bool Lexer::skip_to_closing_quote(char quote, Escapes escapes, bool& is_literal) {
  while (position_ < sql_.size()) {
    const char c = sql_[position_];
    if (c == '\0') return false;
    if (c == quote) {
      if (peek(1) != quote) {
        ++position_;
        return true;
      }
      position_ += 2;
    } else if (c == '\\' && escapes == Escapes::kBackslash) {
      is_literal = false;
      position_ += 2;
    } else {
      ++position_;
    }
  }
  return false;
}

// 'one' <blanks with a line break> 'string' is one literal, read by the rules of its first part;
// "--" comments may stand in between (scan.l, quotecontinue). True: position_ is at the next quote.
bool Lexer::skip_to_continuation() {
  bool has_newline = false;
  while (position_ < sql_.size()) {
    if (is_blank(sql_[position_])) {
      has_newline = has_newline || is_newline(sql_[position_]);
      ++position_;
    } else if (sql_.substr(position_, 2) == "--") {
      while (position_ < sql_.size() && !is_newline(sql_[position_])) ++position_;
    } else {
      return has_newline && sql_[position_] == '\'';
    }
  }
  return false;
}

Token Lexer::dollar() {
  const size_t start = position_++;
  if (is_digit(peek())) {
    while (is_digit(peek())) ++position_;
    return make(TokenKind::kParameter, start);
  }
  if (is_identifier_start(peek())) {
    while (is_identifier_part(peek()) && peek() != '$') ++position_;
  }
  if (peek() != '$') {
    position_ = start + 1;  // a stray dollar sign
    return make(TokenKind::kSymbol, start);
  }
  ++position_;
  const std::string_view tag = sql_.substr(start, position_ - start);
  const size_t end = sql_.find(tag, position_);
  if (end == sql_.npos || sql_.substr(position_, end - position_).find('\0') != sql_.npos)
    return fail();
  position_ = end + tag.size();
  return make(TokenKind::kString, start);
}

// Wider than PostgreSQL's numbers: what is too much here is "trailing junk" there.
Token Lexer::number() {
  const size_t start = position_;
  while (is_digit(peek()) || peek() == '.' || is_identifier_start(peek())) ++position_;
  return make(TokenKind::kNumber, start);
}

Token Lexer::operator_or_symbol() {
  const size_t start = position_;
  if (sql_.substr(start, 2) == "::") {
    position_ += 2;
    return make(TokenKind::kOperator, start);
  }
  if (!is_operator_part(sql_[start])) {
    ++position_;
    return make(TokenKind::kSymbol, start);
  }
  while (position_ < sql_.size() && is_operator_part(sql_[position_]) && !starts_comment(position_))
    ++position_;
  return make(TokenKind::kOperator, start);
}

}  // namespace partywall::sql
