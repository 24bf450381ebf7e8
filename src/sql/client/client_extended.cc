// The extended query protocol. Statements of the client are known to servers by names of the door's
// own; portals live no longer than a transaction, on one server connection, and keep their names.
#include "sql/client/client_fsm.h"
#include "sql/door_errors.h"
#include "sql/wire/extended_messages.h"

namespace partywall::sql {
namespace {

// The names at the front of a Bind are no longer than this together.
constexpr size_t kMaxBindNames = 8 * 1024;
// Statements that are prepared or closed before a Sync; PostgreSQL has no such limit, and no client
// library gets near it.
constexpr size_t kMaxNameChanges = 10'000;

std::string_view body_of(std::string_view message) { return message.substr(kHeadLength); }

size_t parameter_count(const TenantSetting& setting) {
  size_t count = 0;
  const auto look_at = [&count](const auto& field) {
    if (const auto* parameter = std::get_if<ParameterNumber>(&field))
      count = std::max<size_t>(count, parameter->number);
  };
  look_at(setting.name);
  look_at(setting.value);
  look_at(setting.scope);
  return count;
}

// The values as text, whatever the format of the boolean.
std::vector<std::optional<std::string>> values_of(const BindMessage& bind,
                                                  const std::optional<TenantSetting>& setting) {
  std::vector<std::optional<std::string>> values;
  for (const auto& value : bind.values)
    values.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
  const auto* scope = setting ? std::get_if<ParameterNumber>(&setting->scope) : nullptr;
  if (scope && scope->number <= values.size() && bind.is_binary(scope->number - 1U)) {
    auto& value = values[scope->number - 1U];
    if (value && value->size() == 1) value = value->front() != '\0' ? "true" : "false";
  }
  return values;
}

// ParameterDescription: set_config(text, text, boolean).
void append_parameter_description(std::string& out, const std::optional<TenantSetting>& setting) {
  constexpr uint32_t kBooleanType = 16;
  constexpr uint32_t kTextType = 25;
  const size_t count = setting ? parameter_count(*setting) : 0;
  MessageWriter message(out, 't');
  message.u16(static_cast<uint16_t>(count));
  for (size_t number = 1; number <= count; ++number) {
    const auto* scope = std::get_if<ParameterNumber>(&setting->scope);
    message.u32(scope && scope->number == number ? kBooleanType : kTextType);
  }
}

}  // namespace

std::optional<ClientFsm::FoundStatement> ClientFsm::find_statement(std::string_view name) const {
  if (name.empty()) {
    if (unnamed_.number == 0) return std::nullopt;
    return FoundStatement{nullptr, &unnamed_.shape, unnamed_.definition};
  }
  const PreparedStatementRef found = named_.find(name);
  if (!found) return std::nullopt;
  return FoundStatement{found, &found->shape, found->definition};
}

ClientFsm::Taken ClientFsm::on_parse(std::string_view message) {
  const auto parse = read_parse(body_of(message));
  if (!parse) {
    protocol_violation("a malformed Parse");
    return Taken::kYes;
  }
  if (parse->statement.empty()) return parse_unnamed(*parse, message);
  if (const auto refusal = check_parse(*parse)) {
    refuse(*refusal, Request::kParse);
    return Taken::kYes;
  }
  return parse_named(*parse);
}

std::optional<SqlError> ClientFsm::check_parse(const ParseMessage& parse) const {
  if (named_.contains(parse.statement)) return errors::duplicate_statement(parse.statement);
  if (named_.size() >= limits_.max_prepared_statements)
    return errors::too_many_statements(limits_.max_prepared_statements);
  if (named_.bytes() + closed_bytes_ + parse.definition.size() > limits_.max_prepared_bytes)
    return errors::too_much_prepared_text(limits_.max_prepared_bytes);
  if (name_changes_.size() >= kMaxNameChanges) return errors::too_many_names(kMaxNameChanges);
  return std::nullopt;
}

ClientFsm::Taken ClientFsm::parse_named(const ParseMessage& parse) {
  const PreparedStatementRef statement = store_.intern(parse.definition, syntax_);
  if (!statement->shape.has_more && is_local(statement->shape.first)) {
    named_.add(parse.statement, statement);
    append_empty_message(to_client_.tail(), '1');
    return Taken::kYes;
  }
  switch (access_server(Request::kParse)) {
    case Access::kWait:
      return Taken::kNotYet;
    case Access::kRefused:
      return Taken::kYes;
    case Access::kGranted:
      break;
  }
  open_on_server();
  const std::string server_name = server_->replace_statement(*to_server_, *statement);
  append_parse(to_server_->tail(), server_name, statement->definition);
  server_->expect(Request::kParse, Disposition::kForward, statement->id);
  name_changes_.push_back({.name = std::string(parse.statement), .parsed = statement->id});
  named_.add(parse.statement, statement);
  return Taken::kYes;
}

ClientFsm::Taken ClientFsm::parse_unnamed(const ParseMessage& parse, std::string_view message) {
  if (!front_is_examined_) {
    unnamed_.number = store_.next_number();
    unnamed_.definition = parse.definition;
    unnamed_.shape = read_query_shape(query_of(unnamed_.definition), syntax_);
  }
  if (!unnamed_.shape.has_more && is_local(unnamed_.shape.first)) {
    append_empty_message(to_client_.tail(), '1');
    return Taken::kYes;
  }
  return forward_unnamed_parse(message);
}

// Too long to be kept: it can be used as long as this server connection is.
ClientFsm::Taken ClientFsm::on_long_parse(std::string_view available) {
  if (available[kHeadLength] != '\0') {
    refuse(errors::statement_too_long(limits_.max_statement_bytes), Request::kParse);
    return Taken::kYes;
  }
  if (!front_is_examined_)
    unnamed_ = {.number = store_.next_number(), .definition = {}, .shape = {}};
  return forward_unnamed_parse(available);
}

ClientFsm::Taken ClientFsm::forward_unnamed_parse(std::string_view available) {
  switch (access_server(Request::kParse)) {
    case Access::kWait:
      return Taken::kNotYet;
    case Access::kRefused:
      unnamed_.number = 0;
      return Taken::kYes;
    case Access::kGranted:
      break;
  }
  forward(Request::kParse, available);
  server_->unnamed_statement_replaced(unnamed_.number);
  return Taken::kYes;
}

ClientFsm::Taken ClientFsm::on_bind(const MessageHead& head, std::string_view available) {
  const auto target = read_bind_target(body_of(available));
  if (!target) {
    if (available.size() < head.total_length() && available.size() < kMaxBindNames)
      return Taken::kNotYet;
    protocol_violation("a malformed Bind");
    return Taken::kYes;
  }
  const auto found = find_statement(target->statement);
  if (!found) {
    refuse(errors::unknown_statement(target->statement), Request::kBind);
    return Taken::kYes;
  }
  const Statement& statement = found->shape->first;
  const bool concerns_tenant =
      statement.setting.has_value() || statement.kind == StatementKind::kResetTenant;
  if (!found->shape->has_more && (is_local(statement) || concerns_tenant)) {
    if (head.body_length > limits_.max_statement_bytes) {
      refuse(errors::unclear_tenant_setting(), Request::kBind);
      return Taken::kYes;
    }
    if (available.size() < head.total_length()) return Taken::kNotYet;
    if (!front_is_examined_) {
      if (const auto taken = bind_locally(*found, available)) return *taken;
    }
  }
  return forward_bind(*found, *target, head, available);
}

// nullopt: the statement is for the server after all.
std::optional<ClientFsm::Taken> ClientFsm::bind_locally(const FoundStatement& found,
                                                        std::string_view message) {
  const auto bind = read_bind(body_of(message));
  if (!bind) {
    protocol_violation("a malformed Bind");
    return Taken::kYes;
  }
  const Statement& statement = found.shape->first;
  const Values values = values_of(*bind, statement.setting);
  if (statement.setting && !names_tenant_setting(*statement.setting, values)) return std::nullopt;
  if (!is_local(statement)) {
    // The transaction is under way: the setting may only repeat whose it is. The server then keeps
    // it as a setting without a meaning.
    const LocalReply reply = perform_set_tenant(statement, values, Extent::kSection);
    if (!reply.error) return std::nullopt;
    refuse(*reply.error, Request::kBind);
    return Taken::kYes;
  }
  local_portal_ =
      LocalPortal{std::string(bind->target.portal), std::string(statement.text), statement, values};
  local_portal_->statement.text = local_portal_->text;
  append_empty_message(to_client_.tail(), '2');
  return Taken::kYes;
}

ClientFsm::Taken ClientFsm::forward_bind(const FoundStatement& found, const BindTarget& target,
                                         const MessageHead& head, std::string_view available) {
  if (found.shape->first.kind == StatementKind::kUnclearTenantSetting) {
    refuse(errors::unclear_tenant_setting(), Request::kBind);
    return Taken::kYes;
  }
  if (!front_is_examined_) {
    if (auto refusal = note_session_effects(found.shape->first)) {
      refuse(*refusal, Request::kBind);
      return Taken::kYes;
    }
  }
  switch (access_server(Request::kBind)) {
    case Access::kWait:
      return Taken::kNotYet;
    case Access::kRefused:
      return Taken::kYes;
    case Access::kGranted:
      break;
  }
  if (local_portal_ && local_portal_->name == target.portal) local_portal_.reset();
  if (target.portal.empty()) unnamed_portal_is_bound_ = true;
  note_text(query_of(found.definition));
  open_on_server();
  if (!found.shared) {
    if (!server_->use_unnamed_statement(*to_server_, unnamed_.number, unnamed_.definition)) {
      refuse(errors::unknown_statement(""), Request::kBind);
      return Taken::kYes;
    }
    forward(Request::kBind, available);
    return Taken::kYes;
  }
  const std::string server_name = server_->use_statement(*to_server_, *found.shared);
  std::string& out = to_server_->tail();
  out.push_back('B');
  append_u32(out, static_cast<uint32_t>(4 + head.body_length - target.statement.size() +
                                        server_name.size()));
  out.append(target.portal).push_back('\0');
  out.append(server_name).push_back('\0');
  forward(Request::kBind, body_of(available).substr(target.length));
  return Taken::kYes;
}

ClientFsm::Taken ClientFsm::on_describe(std::string_view message) {
  const auto target = read_target(body_of(message));
  if (!target) {
    protocol_violation("a malformed Describe");
    return Taken::kYes;
  }
  if (target->what == 'P') return describe_portal(target->name, message);
  const auto found = find_statement(target->name);
  if (!found) {
    refuse(errors::unknown_statement(target->name), Request::kDescribeStatement);
    return Taken::kYes;
  }
  const Statement& statement = found->shape->first;
  if (!found->shape->has_more && is_local(statement)) {
    append_parameter_description(to_client_.tail(), statement.setting);
    describe_rows(statement);
    return Taken::kYes;
  }
  switch (access_server(Request::kDescribeStatement)) {
    case Access::kWait:
      return Taken::kNotYet;
    case Access::kRefused:
      return Taken::kYes;
    case Access::kGranted:
      break;
  }
  open_on_server();
  if (found->shared) {
    append_target(to_server_->tail(), 'D', 'S',
                  server_->use_statement(*to_server_, *found->shared));
  } else if (server_->use_unnamed_statement(*to_server_, unnamed_.number, unnamed_.definition)) {
    to_server_->relay(message);
  } else {
    refuse(errors::unknown_statement(""), Request::kDescribeStatement);
    return Taken::kYes;
  }
  server_->expect(Request::kDescribeStatement);
  return Taken::kYes;
}

ClientFsm::Taken ClientFsm::describe_portal(std::string_view name, std::string_view message) {
  if (local_portal_ && local_portal_->name == name) {
    describe_rows(local_portal_->statement);
  } else if (is_open_on_server()) {
    forward(Request::kDescribePortal, message);
  } else {
    refuse(errors::unknown_portal(name), Request::kDescribePortal);
  }
  return Taken::kYes;
}

// The unnamed portal of a Query that failed in a transaction stays in PostgreSQL 15 until that
// ends, with freed memory behind it: an Execute of it can end the whole server. So the unnamed one
// must come from a Bind.
bool ClientFsm::may_be_executed(std::string_view portal) const {
  return is_open_on_server() && (!portal.empty() || unnamed_portal_is_bound_);
}

void ClientFsm::describe_rows(const Statement& statement) {
  if (statement.kind == StatementKind::kSelectSetConfig) {
    append_text_row_description(to_client_.tail(), statement.setting->column);
  } else {
    append_empty_message(to_client_.tail(), 'n');
  }
}

ClientFsm::Taken ClientFsm::on_execute(std::string_view message) {
  const auto execute = read_execute(body_of(message));
  if (!execute) {
    protocol_violation("a malformed Execute");
    return Taken::kYes;
  }
  if (local_portal_ && local_portal_->name == execute->portal) {
    execute_locally();
  } else if (may_be_executed(execute->portal)) {
    forward(Request::kExecute, message);
  } else {
    refuse(errors::unknown_portal(execute->portal), Request::kExecute);
  }
  return Taken::kYes;
}

void ClientFsm::execute_locally() {
  // Bound at the start of the section, but executed behind something else.
  if (is_sent_ || !is_local(local_portal_->statement)) {
    refuse(errors::tenant_set_after_other_statements(), Request::kExecute);
    return;
  }
  const LocalReply reply =
      perform(local_portal_->statement, local_portal_->values, Extent::kSection);
  if (reply.error) {
    refuse(*reply.error, Request::kExecute);
  } else {
    append_execution(to_client_.tail(), reply);
  }
}

ClientFsm::Taken ClientFsm::on_close(std::string_view message) {
  const auto target = read_target(body_of(message));
  if (!target) {
    protocol_violation("a malformed Close");
    return Taken::kYes;
  }
  PreparedStatementRef statement;
  if (target->what == 'P') {
    if (local_portal_ && local_portal_->name == target->name) {
      local_portal_.reset();
    } else if (is_open_on_server()) {
      forward(Request::kClose, message);
      return Taken::kYes;
    }
  } else if (target->name.empty()) {
    unnamed_.number = 0;
  } else {
    statement = named_.remove(target->name);
  }
  // Answered in its turn.
  if (is_sent_) {
    if (name_changes_.size() >= kMaxNameChanges) {
      refuse(errors::too_many_names(kMaxNameChanges), Request::kClose);
      return Taken::kYes;
    }
    if (statement) closed_bytes_ += statement->definition.size();
    name_changes_.push_back({.name = statement ? std::string(target->name) : std::string(),
                             .closed = std::move(statement)});
    server_->expect(Request::kClose, Disposition::kFabricate);
  } else {
    append_empty_message(to_client_.tail(), '3');
  }
  return Taken::kYes;
}

ClientFsm::Taken ClientFsm::on_sync(std::string_view message) {
  if (!is_sent_) {
    answer_ready();
  } else if (!takes_copy_data()) {
    end_section(Request::kSync, message);
  }
  return Taken::kYes;
}

}  // namespace partywall::sql
