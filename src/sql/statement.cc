#include "sql/statement.h"

#include <algorithm>
#include <array>

#include "sql/lexer.h"
#include "sql/statement_parser.h"

namespace partywall::sql {
namespace {

std::string_view trim_end(std::string_view text) {
  const size_t last = text.find_last_not_of(" \t\n\r\f\v");
  return text.substr(0, last == text.npos ? 0 : last + 1);
}

// Finds the semicolon that ends a statement: not inside parentheses (CREATE RULE … DO (a; b)), nor
// between BEGIN ATOMIC and END in the body of a function (psql counts in the same way).
class StatementEnd {
 public:
  // True at the semicolon that ends the statement.
  bool feed(const Token& token) {
    const bool after_begin = std::exchange(after_begin_, token.is_word("begin"));
    if (token.is_symbol('(')) ++parentheses_;
    if (token.is_symbol(')') && parentheses_ > 0) --parentheses_;
    if (token.kind == TokenKind::kWord && parentheses_ == 0) {
      if (words_ < 5) note_opening_word(token);
      if (creates_routine_) count_blocks(token, after_begin);
    }
    return token.kind == TokenKind::kSemicolon && parentheses_ == 0 && blocks_ == 0;
  }

 private:
  // CREATE [OR REPLACE] {FUNCTION | PROCEDURE}
  void note_opening_word(const Token& token) {
    const size_t index = words_++;
    if (index == 0) is_create_ = token.is_word("create");
    const bool names_routine = token.is_word("function") || token.is_word("procedure");
    if (is_create_ && names_routine && (index == 1 || index == 3)) creates_routine_ = true;
  }
  void count_blocks(const Token& token, bool after_begin) {
    if (after_begin && token.is_word("atomic")) ++blocks_;
    if (blocks_ > 0 && token.is_word("case")) ++blocks_;
    if (blocks_ > 0 && token.is_word("end")) --blocks_;
  }

  size_t parentheses_ = 0;
  size_t blocks_ = 0;
  size_t words_ = 0;
  bool is_create_ = false;
  bool creates_routine_ = false;
  bool after_begin_ = false;
};

struct Extent {
  size_t end;   // of the text, at the semicolon or the end of everything
  size_t next;  // where the next statement may start
};

Extent find_extent(std::string_view sql, size_t start, SqlSyntax syntax) {
  // Nearly every text has no semicolon but perhaps its last character: then there is nothing to
  // read.
  const size_t semicolon = sql.find(';', start);
  const size_t last = trim_end(sql).size();
  if (semicolon == sql.npos) return {last, sql.size()};
  if (semicolon + 1 == last) return {semicolon, sql.size()};
  Lexer lexer(sql, syntax, start);
  StatementEnd end;
  while (true) {
    const Token token = lexer.next();
    if (end.feed(token)) return {lexer.position() - 1, lexer.position()};
    if (token.kind == TokenKind::kEnd || token.kind == TokenKind::kError) return {last, sql.size()};
  }
}

constexpr std::array<std::string_view, 7> kUnsafeEncodings{
    "SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004"};

bool has_high_byte(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<uint8_t>(c) >= 0x80; });
}

}  // namespace

bool is_ascii_safe_encoding(std::string_view client_encoding) {
  return std::ranges::find(kUnsafeEncodings, client_encoding) == kUnsafeEncodings.end();
}

StatementReader::StatementReader(std::string_view sql, SqlSyntax syntax)
    : sql_(sql),
      syntax_(syntax),
      readable_(sql.find('\0') == sql.npos && (syntax.ascii_safe_encoding || !has_high_byte(sql))) {
}

std::optional<Statement> StatementReader::next() {
  if (!readable_) return take_rest();
  Lexer lexer(sql_, syntax_, position_);
  Token token = lexer.next();
  while (token.kind == TokenKind::kSemicolon) token = lexer.next();
  if (token.kind == TokenKind::kError) return take_rest();
  if (token.kind == TokenKind::kEnd) {
    position_ = sql_.size();
    if (std::exchange(found_any_, true)) return std::nullopt;
    Statement empty;
    empty.kind = StatementKind::kEmpty;
    return empty;
  }
  found_any_ = true;
  const auto start = static_cast<size_t>(token.text.data() - sql_.data());
  Statement statement = recognise_statement(sql_, start, syntax_);
  const Extent extent = find_extent(sql_, start, syntax_);
  statement.text = trim_end(sql_.substr(start, extent.end - start));
  position_ = extent.next;
  return statement;
}

// What cannot be read is passed on as it is.
std::optional<Statement> StatementReader::take_rest() {
  if (position_ == sql_.size()) return std::nullopt;
  Statement rest;
  rest.text = sql_.substr(position_);
  position_ = sql_.size();
  found_any_ = true;
  return rest;
}

QueryShape read_query_shape(std::string_view sql, SqlSyntax syntax) {
  StatementReader reader(sql, syntax);
  QueryShape shape;
  if (auto first = reader.next()) shape.first = std::move(*first);
  shape.has_more = reader.next().has_value();
  return shape;
}

}  // namespace partywall::sql
