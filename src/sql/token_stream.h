#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sql/lexer.h"

namespace partywall::sql {

// Tokens with one of look-ahead, and the accept_… functions of a recursive-descent parser: each
// takes the current token if it fits and says whether it did.
class TokenStream {
 public:
  explicit TokenStream(Lexer lexer) : lexer_(lexer), current_(lexer_.next()) {}

  [[nodiscard]] const Token& current() const { return current_; }
  // The one behind the current token.
  const Token& peek() {
    if (!has_next_) {
      next_ = lexer_.next();
      has_next_ = true;
    }
    return next_;
  }
  void advance() {
    current_ = peek();
    has_next_ = false;
  }
  // A semicolon or the end of the text; not an error.
  [[nodiscard]] bool at_end() const {
    return current_.kind == TokenKind::kEnd || current_.kind == TokenKind::kSemicolon;
  }

  bool accept(std::string_view lower_case_word) {
    return accept_if(current_.is_word(lower_case_word));
  }
  bool accept_symbol(char symbol) { return accept_if(current_.is_symbol(symbol)); }
  bool accept_operator(std::string_view op) { return accept_if(current_.is_operator(op)); }
  bool accept_any_string() { return accept_if(current_.kind == TokenKind::kString); }
  // The optional word in "RELEASE [SAVEPOINT] name", where the name itself may be that word.
  void accept_before_name(std::string_view lower_case_word) {
    if (current_.is_word(lower_case_word) && !peek().ends_statement()) advance();
  }

  std::optional<std::string> accept_identifier() { return accept_value(current_.identifier()); }
  std::optional<std::string> accept_string() { return accept_value(current_.string_value()); }

 private:
  bool accept_if(bool fits) {
    if (fits) advance();
    return fits;
  }
  std::optional<std::string> accept_value(std::optional<std::string> value) {
    if (value) advance();
    return value;
  }

  Lexer lexer_;
  Token current_;
  Token next_;
  bool has_next_ = false;
};

}  // namespace partywall::sql
