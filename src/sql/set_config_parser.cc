#include "sql/set_config_parser.h"

#include <algorithm>

#include "base/ascii.h"
#include "sql/boolean.h"

namespace partywall::sql {
namespace {

using Text = std::variant<std::string, ParameterNumber>;

enum class Type : uint8_t { kText, kBoolean, kOther };

// A type name as far as it may stand in a cast that changes nothing.
Type accept_type(TokenStream& tokens) {
  if (tokens.current().is_word("pg_catalog") && tokens.peek().is_symbol('.')) {
    tokens.advance();
    tokens.advance();
  }
  if (tokens.accept("text") || tokens.accept("varchar")) return Type::kText;
  if (tokens.accept("character") && tokens.accept("varying")) return Type::kText;
  if (tokens.accept("bool") || tokens.accept("boolean")) return Type::kBoolean;
  return Type::kOther;
}

// A literal or parameter, optionally cast to `type` by "::type" or CAST(… AS type).
std::optional<Text> accept_argument(TokenStream& tokens, Type type) {
  const bool is_cast_call = tokens.current().is_word("cast") && tokens.peek().is_symbol('(');
  if (is_cast_call) {
    tokens.advance();
    tokens.advance();
  }
  std::optional<Text> argument;
  if (const auto number = tokens.current().parameter_number()) {
    argument = ParameterNumber{*number};
    tokens.advance();
  } else if (auto value = tokens.accept_string()) {
    argument = std::move(*value);
  } else if (type == Type::kBoolean &&
             (tokens.current().is_word("true") || tokens.current().is_word("false"))) {
    argument = tokens.accept_identifier();
  }
  if (!argument) return std::nullopt;
  if (is_cast_call) {
    if (!tokens.accept("as") || accept_type(tokens) != type || !tokens.accept_symbol(')'))
      return std::nullopt;
  } else if (tokens.accept_operator("::") && accept_type(tokens) != type) {
    return std::nullopt;
  }
  return argument;
}

std::optional<SettingScope> scope_of(std::string_view text) {
  const auto is_local = parse_boolean(text);
  if (!is_local) return std::nullopt;
  return *is_local ? SettingScope::kTransaction : SettingScope::kSession;
}

bool names_tenant_setting(const Text& name) {
  const auto* literal = std::get_if<std::string>(&name);
  return literal != nullptr && to_lower(*literal) == kTenantSetting;
}

// value, is_local ")" [::text] [[AS] alias] and the end
bool parse_rest(TokenStream& tokens, TenantSetting& setting) {
  auto value = accept_argument(tokens, Type::kText);
  if (!value || !tokens.accept_symbol(',')) return false;
  setting.value = std::move(*value);
  auto is_local = accept_argument(tokens, Type::kBoolean);
  if (!is_local || !tokens.accept_symbol(')')) return false;
  if (const auto* parameter = std::get_if<ParameterNumber>(&*is_local)) {
    setting.scope = *parameter;
  } else if (const auto scope = scope_of(std::get<std::string>(*is_local))) {
    setting.scope = *scope;
  } else {
    return false;
  }
  if (tokens.accept_operator("::") && accept_type(tokens) != Type::kText) return false;
  setting.column = "set_config";
  const bool has_as = tokens.accept("as");
  if (!has_as && tokens.at_end()) return true;
  // Operators behind the call, not aliases.
  if (!has_as && (tokens.current().is_word("isnull") || tokens.current().is_word("notnull")))
    return false;
  auto alias = tokens.accept_identifier();
  if (!alias || !tokens.at_end()) return false;
  setting.column = std::move(*alias);
  return true;
}

}  // namespace

void parse_set_config(TokenStream& tokens, Statement& statement) {
  auto name = accept_argument(tokens, Type::kText);
  if (!name) return;
  const bool is_tenant = names_tenant_setting(*name);
  TenantSetting setting{.name = std::move(*name), .value = {}, .scope = {}, .column = {}};
  const bool is_understood = tokens.accept_symbol(',') && parse_rest(tokens, setting);
  if (const auto* other = std::get_if<std::string>(&setting.name); other != nullptr && !is_tenant) {
    // What is not understood may last for the session.
    const auto* scope = is_understood ? std::get_if<SettingScope>(&setting.scope) : nullptr;
    statement.kind = StatementKind::kSet;
    statement.name = to_lower(*other);
    statement.scope = scope != nullptr ? *scope : SettingScope::kSession;
  } else if (is_understood) {
    statement.kind = StatementKind::kSelectSetConfig;
    statement.setting = std::move(setting);
  } else if (is_tenant) {
    statement.kind = StatementKind::kUnclearTenantSetting;
  }
}

}  // namespace partywall::sql
