#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/statement.h"

namespace partywall::sql {

enum class TokenKind : uint8_t {
  kEnd,
  kError,  // unterminated quote or comment, or a zero byte; nothing comes after it
  kWord,   // keyword or unquoted identifier
  kQuotedIdentifier,
  kString,       // '…', E'…', $tag$…$tag$
  kOtherString,  // B'…', X'…', N'…', U&'…' and U&"…": only their ends are known
  kNumber,
  kParameter,  // $n
  kSemicolon,
  kOperator,  // the longest run of operator characters, or "::"
  kSymbol,    // one of ( ) [ ] , . : or a stray character
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // as written, quotes included
  // The value is what stands between the quotes (with doubled ones): no backslash escapes, no parts
  // that continue on another line.
  bool is_literal = true;

  [[nodiscard]] bool is_word(std::string_view lower_case_word) const;
  [[nodiscard]] bool is_symbol(char symbol) const {
    return kind == TokenKind::kSymbol && text[0] == symbol;
  }
  [[nodiscard]] bool is_operator(std::string_view op) const {
    return kind == TokenKind::kOperator && text == op;
  }
  [[nodiscard]] bool ends_statement() const {
    return kind == TokenKind::kEnd || kind == TokenKind::kError || kind == TokenKind::kSemicolon;
  }

  // What PostgreSQL makes of an identifier: quotes removed, unquoted ones in lower case. nullopt
  // for anything else, and for what is longer than PostgreSQL's 63 bytes.
  [[nodiscard]] std::optional<std::string> identifier() const;
  // The value of a kString; nullopt where it is not a literal or longer than
  // kMaxRecognisedValueLength.
  [[nodiscard]] std::optional<std::string> string_value() const;
  // The number of a kParameter, 1..65535.
  [[nodiscard]] std::optional<uint16_t> parameter_number() const;
};

// PostgreSQL's lexical rules (src/backend/parser/scan.l). Comments and blanks are left out.
class Lexer {
 public:
  explicit Lexer(std::string_view sql, SqlSyntax syntax = {}, size_t position = 0)
      : sql_(sql), position_(position), syntax_(syntax) {}

  Token next();
  // Where the last token ended.
  [[nodiscard]] size_t position() const { return position_; }

 private:
  enum class Escapes : uint8_t { kNone, kBackslash };

  bool skip_blanks_and_comments();
  bool skip_block_comment();
  [[nodiscard]] bool starts_comment(size_t at) const;
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return position_ + ahead < sql_.size() ? sql_[position_ + ahead] : '\0';
  }
  Token make(TokenKind kind, size_t start) const {
    return {kind, sql_.substr(start, position_ - start), true};
  }
  Token fail();
  Token word_or_prefixed_string();
  Token quoted(TokenKind kind, size_t start, char quote, Escapes escapes);
  bool skip_to_closing_quote(char quote, Escapes escapes, bool& is_literal);
  bool skip_to_continuation();
  Token dollar();
  Token number();
  Token operator_or_symbol();

  std::string_view sql_;
  size_t position_;
  SqlSyntax syntax_;
};

}  // namespace partywall::sql
