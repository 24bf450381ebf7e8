#include "sql/statement_parser.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "sql/set_config_parser.h"
#include "sql/token_stream.h"

// Each parse_… function is called behind the statement's first word. It returns the kind only if it
// understood everything that matters for it; kOther is always a safe answer.
namespace partywall::sql {
namespace {

using Parse = void (*)(TokenStream&, Statement&);

// transaction_mode_list_or_empty of gram.y, up to the statement's end.
bool parse_transaction_modes(TokenStream& tokens) {
  bool needs_mode = false;
  while (!tokens.at_end() || needs_mode) {
    if (tokens.accept("isolation")) {
      if (!tokens.accept("level")) return false;
      const bool known =
          tokens.accept("serializable") || (tokens.accept("repeatable") && tokens.accept("read")) ||
          (tokens.accept("read") && (tokens.accept("committed") || tokens.accept("uncommitted")));
      if (!known) return false;
    } else if (tokens.accept("read")) {
      if (!tokens.accept("only") && !tokens.accept("write")) return false;
    } else {
      tokens.accept("not");
      if (!tokens.accept("deferrable")) return false;
    }
    needs_mode = tokens.accept_symbol(',');
  }
  return true;
}

void accept_transaction_word(TokenStream& tokens) {
  if (!tokens.accept("work")) tokens.accept("transaction");
}

void parse_begin(TokenStream& tokens, Statement& statement) {
  accept_transaction_word(tokens);
  if (parse_transaction_modes(tokens)) statement.kind = StatementKind::kBegin;
}

void parse_start(TokenStream& tokens, Statement& statement) {
  if (tokens.accept("transaction") && parse_transaction_modes(tokens))
    statement.kind = StatementKind::kBegin;
}

// [AND [NO] CHAIN] and the end.
void parse_chain(TokenStream& tokens, Statement& statement, StatementKind plain,
                 StatementKind chained) {
  StatementKind kind = plain;
  if (tokens.accept("and")) {
    kind = tokens.accept("no") ? plain : chained;
    if (!tokens.accept("chain")) return;
  }
  if (tokens.at_end()) statement.kind = kind;
}

void parse_two_phase(TokenStream& tokens, Statement& statement, StatementKind kind) {
  if (tokens.accept_any_string() && tokens.at_end()) statement.kind = kind;
}

void parse_end(TokenStream& tokens, Statement& statement) {
  accept_transaction_word(tokens);
  parse_chain(tokens, statement, StatementKind::kCommit, StatementKind::kCommitAndChain);
}

void parse_commit(TokenStream& tokens, Statement& statement) {
  if (tokens.accept("prepared"))
    return parse_two_phase(tokens, statement, StatementKind::kCommitPrepared);
  parse_end(tokens, statement);
}

// What is followed by one name and the end.
void parse_name_only(TokenStream& tokens, Statement& statement, StatementKind kind) {
  auto name = tokens.accept_identifier();
  if (!name || !tokens.at_end()) return;
  statement.kind = kind;
  statement.name = std::move(*name);
}

void parse_abort(TokenStream& tokens, Statement& statement) {
  accept_transaction_word(tokens);
  parse_chain(tokens, statement, StatementKind::kRollback, StatementKind::kRollbackAndChain);
}

void parse_rollback(TokenStream& tokens, Statement& statement) {
  if (tokens.accept("prepared"))
    return parse_two_phase(tokens, statement, StatementKind::kRollbackPrepared);
  accept_transaction_word(tokens);
  if (!tokens.accept("to")) {
    return parse_chain(tokens, statement, StatementKind::kRollback,
                       StatementKind::kRollbackAndChain);
  }
  tokens.accept_before_name("savepoint");
  parse_name_only(tokens, statement, StatementKind::kRollbackTo);
}

void parse_savepoint(TokenStream& tokens, Statement& statement) {
  parse_name_only(tokens, statement, StatementKind::kSavepoint);
}

void parse_release(TokenStream& tokens, Statement& statement) {
  tokens.accept_before_name("savepoint");
  parse_name_only(tokens, statement, StatementKind::kRelease);
}

void parse_prepare(TokenStream& tokens, Statement& statement) {
  if (tokens.current().is_word("transaction") && tokens.peek().kind == TokenKind::kString) {
    tokens.advance();
    return parse_two_phase(tokens, statement, StatementKind::kPrepareTransaction);
  }
  statement.kind = StatementKind::kPrepare;
  statement.name = tokens.accept_identifier().value_or("");
}

void parse_execute(TokenStream& tokens, Statement& statement) {
  statement.kind = StatementKind::kExecute;
  statement.name = tokens.accept_identifier().value_or("");
}

void parse_deallocate(TokenStream& tokens, Statement& statement) {
  tokens.accept_before_name("prepare");
  statement.kind = StatementKind::kDeallocate;
  if (!tokens.accept("all")) statement.name = tokens.accept_identifier().value_or("");
}

void parse_listen(TokenStream& tokens, Statement& statement) {
  statement.kind = StatementKind::kListen;
  statement.name = tokens.accept_identifier().value_or("");
}

void parse_unlisten(TokenStream& tokens, Statement& statement) {
  statement.kind = StatementKind::kUnlisten;
  statement.name = tokens.accept_identifier().value_or("");
}

void parse_close(TokenStream& tokens, Statement& statement) {
  if (tokens.accept("all") && tokens.at_end()) statement.kind = StatementKind::kCloseAll;
}

void parse_notify(TokenStream& tokens, Statement& statement) {
  statement.kind = StatementKind::kNotify;
  statement.name = tokens.accept_identifier().value_or("");
}

// DECLARE name … CURSOR [{WITH|WITHOUT} HOLD] FOR query
void parse_declare(TokenStream& tokens, Statement& statement) {
  auto name = tokens.accept_identifier();
  if (!name) return;
  while (!tokens.at_end() && !tokens.current().is_word("for")) {
    if (tokens.current().is_word("with") && tokens.peek().is_word("hold")) {
      statement.kind = StatementKind::kDeclareWithHold;
      statement.name = std::move(*name);
      return;
    }
    tokens.advance();
  }
}

void parse_copy(TokenStream&, Statement& statement) { statement.kind = StatementKind::kCopy; }

void parse_create(TokenStream& tokens, Statement& statement) {
  if (tokens.accept("or")) tokens.accept("replace");
  if (!tokens.accept("global")) tokens.accept("local");
  if (tokens.accept("temp") || tokens.accept("temporary"))
    statement.kind = StatementKind::kCreateTemp;
}

void parse_alter(TokenStream& tokens, Statement& statement) {
  const bool is_user = tokens.accept("user");
  if (is_user ? !tokens.current().is_word("mapping") : tokens.accept("role"))
    statement.kind = StatementKind::kAlterRole;
}

void parse_discard(TokenStream& tokens, Statement& statement) {
  statement.kind = StatementKind::kDiscardOther;
  if (tokens.accept("all")) statement.kind = StatementKind::kDiscardAll;
  if (tokens.accept("sequences")) statement.kind = StatementKind::kDiscardSequences;
}

// A setting's name, in lower case: PostgreSQL compares them without regard to case, quoted or not.
std::string parse_setting_name(TokenStream& tokens) {
  std::string name;
  do {
    auto part = tokens.accept_identifier();
    if (!part) return "";
    if (!name.empty()) name += '.';
    name += *part;
  } while (tokens.accept_symbol('.'));
  return to_lower(name);
}

StatementKind kind_of_setting(std::string_view name, StatementKind otherwise) {
  if (name == "role") return StatementKind::kSetRole;
  if (name == "session_authorization") return StatementKind::kSetSessionAuthorization;
  return otherwise;
}

// Behind the name of the tenant setting: {= | TO} {value | DEFAULT}
void parse_set_tenant(TokenStream& tokens, Statement& statement) {
  statement.kind = StatementKind::kUnclearTenantSetting;
  if (!tokens.accept_operator("=") && !tokens.accept("to")) return;
  if (tokens.accept("default")) {
    if (tokens.at_end()) statement.kind = StatementKind::kResetTenant;
    return;
  }
  auto value = tokens.current().kind == TokenKind::kString ? tokens.accept_string()
                                                           : tokens.accept_identifier();
  if (!value || !tokens.at_end()) return;
  statement.kind = StatementKind::kSetTenant;
  statement.setting = TenantSetting{.name = std::string(kTenantSetting),
                                    .value = std::move(*value),
                                    .scope = statement.scope,
                                    .column = ""};
}

// The forms of SET whose setting is not named by its name.
bool parse_special_set(TokenStream& tokens, Statement& statement) {
  struct Special {
    std::string_view first, second;
    StatementKind kind;
    std::string_view name;
  };
  static constexpr std::array kSpecials{
      Special{"session", "authorization", StatementKind::kSetSessionAuthorization,
              "session_authorization"},
      Special{"time", "zone", StatementKind::kSet, "timezone"},
      Special{"xml", "option", StatementKind::kSet, "xmloption"},
      Special{"transaction", "isolation", StatementKind::kSetTransaction, ""},
      Special{"transaction", "read", StatementKind::kSetTransaction, ""},
      Special{"transaction", "not", StatementKind::kSetTransaction, ""},
      Special{"transaction", "deferrable", StatementKind::kSetTransaction, ""},
      Special{"transaction", "snapshot", StatementKind::kSetTransaction, ""},
  };
  for (const Special& special : kSpecials) {
    if (tokens.current().is_word(special.first) && tokens.peek().is_word(special.second)) {
      statement.kind = special.kind;
      statement.name = special.name;
      if (special.kind == StatementKind::kSetTransaction)
        statement.scope = SettingScope::kTransaction;
      return true;
    }
  }
  return false;
}

void parse_set(TokenStream& tokens, Statement& statement) {
  if (tokens.current().is_word("constraints")) return;
  if (tokens.current().is_word("session") && tokens.peek().is_word("characteristics")) {
    statement.kind = StatementKind::kSetTransaction;
    return;
  }
  if (parse_special_set(tokens, statement)) return;
  // "SET session.x = 1" names a setting; "SET SESSION x = 1" does not name its scope twice.
  if (!tokens.peek().is_symbol('.')) {
    if (tokens.accept("local")) {
      statement.scope = SettingScope::kTransaction;
    } else {
      tokens.accept("session");
    }
    if (parse_special_set(tokens, statement)) return;
  }
  statement.name = parse_setting_name(tokens);
  if (statement.name == kTenantSetting) return parse_set_tenant(tokens, statement);
  statement.kind = kind_of_setting(statement.name, StatementKind::kSet);
  if (statement.name == "names") statement.name = "client_encoding";
  if (statement.name == "schema") statement.name = "search_path";
}

void parse_reset(TokenStream& tokens, Statement& statement) {
  if (tokens.current().is_word("all") && tokens.peek().ends_statement()) {
    statement.kind = StatementKind::kResetAll;
    return;
  }
  if (parse_special_set(tokens, statement)) {
    if (statement.kind == StatementKind::kSet) statement.kind = StatementKind::kReset;
    return;
  }
  statement.name = parse_setting_name(tokens);
  statement.kind = kind_of_setting(statement.name, StatementKind::kReset);
  if (statement.name == kTenantSetting) {
    statement.kind =
        tokens.at_end() ? StatementKind::kResetTenant : StatementKind::kUnclearTenantSetting;
  }
}

void parse_show(TokenStream& tokens, Statement& statement) {
  if (!parse_special_set(tokens, statement)) statement.name = parse_setting_name(tokens);
  statement.kind = StatementKind::kShow;
}

void parse_query(TokenStream&, Statement& statement) { statement.kind = StatementKind::kSelect; }

void parse_change(TokenStream&, Statement& statement) { statement.kind = StatementKind::kChange; }

void parse_select(TokenStream& tokens, Statement& statement) {
  statement.kind = StatementKind::kSelect;
  if (tokens.current().identifier() == "pg_catalog" && tokens.peek().is_symbol('.')) {
    tokens.advance();
    tokens.advance();
  }
  if (!tokens.peek().is_symbol('(')) return;
  if (tokens.accept("pg_advisory_unlock_all")) {
    tokens.advance();
    if (tokens.accept_symbol(')') && tokens.at_end()) statement.kind = StatementKind::kUnlockAll;
  } else if (tokens.current().identifier() == "set_config") {
    tokens.advance();
    tokens.advance();
    parse_set_config(tokens, statement);
  }
}

struct Entry {
  std::string_view word;
  Parse parse;
};

// The most frequent first.
constexpr std::array kStatements{
    Entry{"select", parse_select},
    Entry{"begin", parse_begin},
    Entry{"commit", parse_commit},
    Entry{"insert", parse_change},
    Entry{"update", parse_change},
    Entry{"delete", parse_change},
    Entry{"set", parse_set},
    Entry{"rollback", parse_rollback},
    Entry{"with", parse_query},
    Entry{"values", parse_query},
    Entry{"table", parse_query},
    Entry{"merge", parse_change},
    Entry{"start", parse_start},
    Entry{"end", parse_end},
    Entry{"abort", parse_abort},
    Entry{"savepoint", parse_savepoint},
    Entry{"release", parse_release},
    Entry{"reset", parse_reset},
    Entry{"show", parse_show},
    Entry{"discard", parse_discard},
    Entry{"prepare", parse_prepare},
    Entry{"execute", parse_execute},
    Entry{"deallocate", parse_deallocate},
    Entry{"listen", parse_listen},
    Entry{"unlisten", parse_unlisten},
    Entry{"close", parse_close},
    Entry{"notify", parse_notify},
    Entry{"declare", parse_declare},
    Entry{"copy", parse_copy},
    Entry{"create", parse_create},
    Entry{"alter", parse_alter},
};

}  // namespace

Statement recognise_statement(std::string_view sql, size_t start, SqlSyntax syntax) {
  TokenStream tokens(Lexer(sql, syntax, start));
  Statement statement;
  const Token first = tokens.current();
  if (first.is_symbol('(')) {
    parse_query(tokens, statement);
  } else if (first.kind == TokenKind::kWord) {
    const auto entry = std::ranges::find_if(
        kStatements, [&](const Entry& one) { return first.is_word(one.word); });
    if (entry != kStatements.end()) {
      tokens.advance();
      entry->parse(tokens, statement);
    }
  }
  return statement;
}

}  // namespace partywall::sql
