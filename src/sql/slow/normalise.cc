#include "sql/slow/normalise.h"

#include <algorithm>

#include "sql/lexer.h"

namespace partywall::sql {
namespace {

constexpr std::string_view kRest = "…";

bool is_constant(TokenKind kind) {
  return kind == TokenKind::kString || kind == TokenKind::kOtherString ||
         kind == TokenKind::kNumber;
}

bool sticks_to_next(std::string_view written) {
  return written.empty() || written.ends_with('(') || written.ends_with('[') ||
         written.ends_with('.') || written.ends_with("::");
}

bool sticks_to_last(const Token& token) {
  return token.kind == TokenKind::kSemicolon || token.is_operator("::") ||
         (token.kind == TokenKind::kSymbol &&
          std::string_view("),].([").find(token.text[0]) != std::string_view::npos);
}

// One ? stands for a list, so that a statement looks the same for however many values.
bool goes_on_a_list(std::string_view written, const Token& token) {
  return written.ends_with("?,") && is_constant(token.kind);
}

// SET takes words that are no names: SET app.key TO opensesame. True: it is at the value now.
class SetStatement {
 public:
  bool hides(const Token& token) {
    if (token.kind == TokenKind::kSemicolon) state_ = State::kStart;
    switch (state_) {
      case State::kStart:
        if (token.kind != TokenKind::kSemicolon)
          state_ = token.is_word("set") ? State::kName : State::kOther;
        return false;
      case State::kName:
        if (token.is_word("to") || token.is_operator("=")) state_ = State::kValue;
        return false;
      case State::kValue:
        state_ = State::kRest;
        return false;
      case State::kRest:
        return true;
      case State::kOther:
        return false;
    }
    return false;
  }
  [[nodiscard]] bool is_at_value() const { return state_ == State::kRest; }

 private:
  enum class State : uint8_t { kStart, kName, kValue, kRest, kOther };
  State state_ = State::kStart;
};

}  // namespace

std::string without_constants(std::string_view text, SqlSyntax syntax) {
  const bool is_ascii = std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; });
  if (!syntax.ascii_safe_encoding && !is_ascii) return std::string(kRest);
  Lexer lexer(text, syntax);
  std::string out;
  SetStatement set;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    if (token.kind == TokenKind::kError) {
      if (!out.empty()) out.push_back(' ');
      return out.append(kRest);
    }
    if (set.hides(token)) continue;
    if (goes_on_a_list(out, token)) {
      out.pop_back();
      continue;
    }
    if (!sticks_to_next(out) && !sticks_to_last(token)) out.push_back(' ');
    if (is_constant(token.kind) || set.is_at_value()) {
      out.push_back('?');
    } else {
      out.append(token.text);
    }
  }
  return out;
}

}  // namespace partywall::sql
