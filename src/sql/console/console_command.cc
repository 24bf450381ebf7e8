#include "sql/console/console_command.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "sql/token_stream.h"

namespace partywall::sql {
namespace {

using Parsed = std::expected<ConsoleCommand, SqlError>;

struct Verb {
  std::string_view word;
  ConsoleAction action;
  std::string_view tag;
  std::string_view usage;  // empty: not worth a line of help
  std::string_view help;
};

constexpr std::array kVerbs = {
    Verb{"show", ConsoleAction::kShow, "SHOW", "", ""},
    Verb{"pause", ConsoleAction::kPause, "PAUSE", "PAUSE [CELL]",
         "let transactions finish, close the server connections, start no more; returns when that "
         "is so"},
    Verb{"resume", ConsoleAction::kResume, "RESUME", "RESUME [CELL]", "end a PAUSE"},
    Verb{"reconnect", ConsoleAction::kReconnect, "RECONNECT", "RECONNECT [CELL]",
         "replace every server connection by a new one, as soon as nobody uses it"},
    Verb{"kill", ConsoleAction::kKillTenant, "KILL", "KILL TENANT SLUG | KILL CLIENT ID",
         "end the clients of a tenant, or one client, in the middle of what they do"},
    Verb{"reload", ConsoleAction::kReload, "RELOAD", "RELOAD",
         "read the platform file again, as SIGHUP does"},
    Verb{"begin", ConsoleAction::kTransaction, "BEGIN", "", ""},
    Verb{"commit", ConsoleAction::kTransaction, "COMMIT", "", ""},
    Verb{"rollback", ConsoleAction::kTransaction, "ROLLBACK", "", ""},
};

std::unexpected<SqlError> syntax_error(std::string message) {
  return std::unexpected(SqlError{.sqlstate = sqlstate::kSyntaxError,
                                  .message = std::move(message),
                                  .hint = "SHOW HELP lists what the console understands."});
}

std::unexpected<SqlError> unknown(std::string_view what, std::string_view word,
                                  const std::vector<std::string_view>& known) {
  return syntax_error(
      fmt::format("there is no console {} '{}'{}", what, word, suggestion(word, known)));
}

Parsed parse_show(TokenStream& tokens, ConsoleCommand command) {
  const auto name = tokens.accept_identifier();
  if (!name) return syntax_error("SHOW needs the name of what to show");
  const auto& views = console_views();
  const auto found = std::ranges::find(views, *name, &ConsoleViewInfo::name);
  if (found == views.end()) {
    std::vector<std::string_view> names;
    for (const ConsoleViewInfo& view : views) names.push_back(view.name);
    return unknown("view", *name, names);
  }
  command.view = found->view;
  return command;
}

// PostgreSQL's identifiers: in quotes they may hold what words may not, such as a '-'. Slugs and
// names of cells have it often, so it needs no quotes here.
std::string accept_name(TokenStream& tokens) {
  std::string name;
  while (!tokens.at_end()) {
    if (auto part = tokens.accept_identifier()) {
      name += *part;
    } else if (tokens.current().is_operator("-") || tokens.current().kind == TokenKind::kNumber) {
      name += tokens.current().text;
      tokens.advance();
    } else {
      break;
    }
  }
  return name;
}

Parsed parse_kill(TokenStream& tokens, ConsoleCommand command) {
  if (tokens.accept("tenant")) {
    command.subject = accept_name(tokens);
    if (command.subject.empty()) return syntax_error("KILL TENANT needs the slug of a tenant");
    return command;
  }
  if (!tokens.accept("client")) return syntax_error("KILL needs TENANT or CLIENT");
  command.action = ConsoleAction::kKillClient;
  const auto id = parse_integer<uint32_t>(tokens.current().text);
  if (!id) return syntax_error("KILL CLIENT needs the id of a client, which SHOW CLIENTS shows");
  command.client = *id;
  tokens.advance();
  return command;
}

Parsed parse_rest(const Verb& verb, TokenStream& tokens) {
  ConsoleCommand command{.action = verb.action, .tag = verb.tag};
  switch (verb.action) {
    case ConsoleAction::kShow:
      return parse_show(tokens, std::move(command));
    case ConsoleAction::kKillTenant:
      return parse_kill(tokens, std::move(command));
    case ConsoleAction::kPause:
    case ConsoleAction::kResume:
    case ConsoleAction::kReconnect:
      command.subject = accept_name(tokens);
      return command;
    default:
      return command;
  }
}

}  // namespace

Parsed parse_console_command(std::string_view text) {
  TokenStream tokens{Lexer(text)};
  while (tokens.current().kind == TokenKind::kSemicolon) tokens.advance();
  if (tokens.at_end()) return ConsoleCommand{};
  const auto verb = std::ranges::find_if(
      kVerbs, [&tokens](const Verb& known) { return tokens.current().is_word(known.word); });
  if (verb == kVerbs.end()) {
    std::vector<std::string_view> words;
    for (const Verb& known : kVerbs) words.push_back(known.word);
    const Token& word = tokens.current();
    return unknown("command", word.identifier().value_or(std::string(word.text.substr(0, 32))),
                   words);
  }
  tokens.advance();
  Parsed command = parse_rest(*verb, tokens);
  if (!command) return command;
  while (tokens.current().kind == TokenKind::kSemicolon) tokens.advance();
  if (tokens.current().kind != TokenKind::kEnd) {
    return syntax_error(
        fmt::format("'{}' is more than {} takes; the console takes one command at "
                    "a time",
                    tokens.current().text.substr(0, 32), verb->tag));
  }
  return command;
}

std::optional<SqlError> check_rights(const ConsoleCommand& command, ConsoleRights rights) {
  if (rights == ConsoleRights::kOperate || command.action <= ConsoleAction::kShow)
    return std::nullopt;
  return SqlError{.sqlstate = sqlstate::kInsufficientPrivilege,
                  .message = fmt::format("this login may look, not {}", command.tag),
                  .hint = "Log in as one whose 'rights' in the platform file are 'operate'."};
}

ConsoleRows console_help() {
  ConsoleRows rows;
  for (const ConsoleViewInfo& view : console_views())
    rows.push_back({fmt::format("SHOW {}", view.name), std::string(view.help)});
  for (const Verb& verb : kVerbs) {
    if (!verb.usage.empty()) rows.push_back({std::string(verb.usage), std::string(verb.help)});
  }
  return rows;
}

}  // namespace partywall::sql
