#include "sql/copy/copy_statement.h"

#include <algorithm>

#include "engines/postgres.h"
#include "sql/boolean.h"
#include "sql/copy/escape_string.h"
#include "sql/token_stream.h"

namespace partywall::sql {
namespace {

// What is given; the defaults depend on the format.
struct Options {
  std::optional<CopyFormat::Kind> kind;
  std::optional<std::string> delimiter;
  std::optional<std::string> null;
  std::optional<std::string> quote;
  std::optional<std::string> escape;
  std::optional<bool> has_header;
  std::vector<std::string> force_not_null;
  std::vector<std::string> force_null;
};

template <class Value>
bool set_once(std::optional<Value>& option, std::optional<Value> value) {
  if (option || !value) return false;
  option = std::move(value);
  return true;
}

std::optional<std::string> accept_text(TokenStream& tokens) {
  auto text = string_constant(tokens.current());
  if (text) tokens.advance();
  return text;
}

// `…, …` up to what is no comma.
bool accept_names(TokenStream& tokens, std::vector<std::string>& names) {
  if (!names.empty()) return false;
  do {
    auto name = tokens.accept_identifier();
    if (!name) return false;
    names.push_back(std::move(*name));
  } while (tokens.accept_symbol(','));
  return true;
}

bool accept_names_in_parentheses(TokenStream& tokens, std::vector<std::string>& names) {
  return tokens.accept_symbol('(') && accept_names(tokens, names) && tokens.accept_symbol(')');
}

std::optional<CopyFormat::Kind> format_called(std::string_view name) {
  if (name == "text") return CopyFormat::Kind::kText;
  if (name == "csv") return CopyFormat::Kind::kCsv;
  if (name == "binary") return CopyFormat::Kind::kBinary;
  return std::nullopt;
}

std::optional<CopyFormat::Kind> accept_format(TokenStream& tokens) {
  auto name = accept_text(tokens);
  if (!name) name = tokens.accept_identifier();
  return name ? format_called(*name) : std::nullopt;
}

// HEADER alone means true.
std::optional<bool> accept_header(TokenStream& tokens) {
  const Token& value = tokens.current();
  if (value.is_symbol(',') || value.is_symbol(')')) return true;
  const auto text = string_constant(value);
  const auto header = parse_boolean(text ? *text : value.text);
  if (header) tokens.advance();
  return header;
}

bool accept_option(TokenStream& tokens, Options& options) {
  if (tokens.accept("format")) return set_once(options.kind, accept_format(tokens));
  if (tokens.accept("delimiter")) return set_once(options.delimiter, accept_text(tokens));
  if (tokens.accept("null")) return set_once(options.null, accept_text(tokens));
  if (tokens.accept("quote")) return set_once(options.quote, accept_text(tokens));
  if (tokens.accept("escape")) return set_once(options.escape, accept_text(tokens));
  if (tokens.accept("header")) return set_once(options.has_header, accept_header(tokens));
  if (tokens.accept("force_not_null"))
    return accept_names_in_parentheses(tokens, options.force_not_null);
  if (tokens.accept("force_null")) return accept_names_in_parentheses(tokens, options.force_null);
  return false;
}

bool accept_options(TokenStream& tokens, Options& options) {
  do {
    if (!accept_option(tokens, options)) return false;
  } while (tokens.accept_symbol(','));
  return tokens.accept_symbol(')');
}

std::optional<std::string> accept_as_text(TokenStream& tokens) {
  tokens.accept("as");
  return accept_text(tokens);
}

bool accept_force(TokenStream& tokens, Options& options) {
  if (tokens.accept("null")) return accept_names(tokens, options.force_null);
  return tokens.accept("not") && tokens.accept("null") &&
         accept_names(tokens, options.force_not_null);
}

// The syntax of before PostgreSQL 9.0, which clients still send: WITH CSV HEADER.
bool accept_old_option(TokenStream& tokens, Options& options) {
  if (tokens.accept("binary"))
    return set_once(options.kind, std::optional(CopyFormat::Kind::kBinary));
  if (tokens.accept("csv")) return set_once(options.kind, std::optional(CopyFormat::Kind::kCsv));
  if (tokens.accept("header")) return set_once(options.has_header, std::optional(true));
  if (tokens.accept("delimiter")) return set_once(options.delimiter, accept_as_text(tokens));
  if (tokens.accept("null")) return set_once(options.null, accept_as_text(tokens));
  if (tokens.accept("quote")) return set_once(options.quote, accept_as_text(tokens));
  if (tokens.accept("escape")) return set_once(options.escape, accept_as_text(tokens));
  return tokens.accept("force") && accept_force(tokens, options);
}

bool set_character(char& character, const std::optional<std::string>& text) {
  if (!text) return true;
  if (text->size() != 1) return false;
  character = text->front();
  return true;
}

bool has_line_end(std::string_view text) { return text.find_first_of("\r\n") != text.npos; }

// PostgreSQL's rules (ProcessCopyOptions of src/backend/commands/copy.c).
bool is_allowed(const CopyFormat& format) {
  const std::string_view delimiter(&format.delimiter, 1);
  if (has_line_end(delimiter) || has_line_end(format.null) || format.delimiter == '\0')
    return false;
  if (format.null.find(format.delimiter) != std::string::npos) return false;
  if (format.kind == CopyFormat::Kind::kText) {
    constexpr std::string_view kNoDelimiter = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
    return kNoDelimiter.find(format.delimiter) == kNoDelimiter.npos;
  }
  const std::string_view quote(&format.quote, 1);
  return format.delimiter != format.quote && !has_line_end(quote) && format.quote != '\0' &&
         format.escape != '\0' && format.null.find(format.quote) == std::string::npos;
}

std::optional<CopyFormat> to_format(const Options& options) {
  using Kind = CopyFormat::Kind;
  CopyFormat format{.kind = options.kind.value_or(Kind::kText)};
  format.has_header = options.has_header.value_or(false);
  if (format.kind == Kind::kBinary) {
    const bool is_plain = !options.delimiter && !options.null && !format.has_header;
    if (!is_plain || options.quote || options.escape) return std::nullopt;
    return format;
  }
  const bool is_csv = format.kind == Kind::kCsv;
  if (is_csv) {
    format.delimiter = ',';
    format.null = "";
  } else if (options.quote || options.escape || !options.force_null.empty() ||
             !options.force_not_null.empty()) {
    return std::nullopt;
  }
  if (options.null) format.null = *options.null;
  if (!set_character(format.delimiter, options.delimiter)) return std::nullopt;
  if (!set_character(format.quote, options.quote)) return std::nullopt;
  format.escape = format.quote;
  if (!set_character(format.escape, options.escape)) return std::nullopt;
  format.force_null = options.force_null;
  format.force_not_null = options.force_not_null;
  return is_allowed(format) ? std::optional(format) : std::nullopt;
}

bool accept_table(TokenStream& tokens, CopyFrom& copy) {
  auto name = tokens.accept_identifier();
  if (!name) return false;
  if (tokens.accept_symbol('.')) {
    copy.table = postgres::quote_identifier(*name) + ".";
    name = tokens.accept_identifier();
    if (!name) return false;
  }
  copy.table += postgres::quote_identifier(*name);
  copy.name = std::move(*name);
  return true;
}

bool accept_all_options(TokenStream& tokens, Options& options) {
  if (tokens.accept("using") || tokens.current().is_word("delimiters")) {
    if (!tokens.accept("delimiters") || !set_once(options.delimiter, accept_text(tokens)))
      return false;
  }
  tokens.accept("with");
  if (tokens.accept_symbol('(')) return accept_options(tokens, options);
  while (!tokens.at_end()) {
    if (!accept_old_option(tokens, options)) return false;
  }
  return true;
}

}  // namespace

std::optional<CopyFrom> parse_copy_from(std::string_view statement, SqlSyntax syntax) {
  TokenStream tokens(Lexer(statement, syntax));
  CopyFrom copy;
  Options options;
  if (!tokens.accept("copy") || !accept_table(tokens, copy)) return std::nullopt;
  if (tokens.current().is_symbol('(') && !accept_names_in_parentheses(tokens, copy.columns))
    return std::nullopt;
  if (!tokens.accept("from") || !tokens.accept("stdin")) return std::nullopt;
  if (!accept_all_options(tokens, options)) return std::nullopt;
  while (tokens.current().kind == TokenKind::kSemicolon) tokens.advance();
  if (tokens.current().kind != TokenKind::kEnd) return std::nullopt;
  auto format = to_format(options);
  if (!format) return std::nullopt;
  copy.format = std::move(*format);
  return copy;
}

}  // namespace partywall::sql
