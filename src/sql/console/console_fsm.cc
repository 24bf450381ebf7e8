#include "sql/console/console_fsm.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/door_errors.h"
#include "sql/wire/extended_messages.h"
#include "sql/wire/message_writer.h"

namespace partywall::sql {
namespace {

SqlError not_supported(std::string message) {
  return {.sqlstate = sqlstate::kFeatureNotSupported,
          .message = std::move(message),
          .hint = "The console knows simple commands without parameters: SHOW HELP lists them."};
}

void append_columns(std::string& out, const ConsoleCommand& command) {
  if (command.shows()) {
    append_row_description(out, info_of(command.view).columns);
  } else {
    append_empty_message(out, 'n');  // NoData
  }
}

bool is_zero_terminated(std::string_view body) {
  return !body.empty() && body.find('\0') == body.size() - 1;
}

}  // namespace

void ConsoleFsm::receive(std::string_view& input, std::string& out) {
  while (!wanted_ && !is_finished_) {
    const auto head = read_client_head(input);
    if (!head) {
      if (head.error() != HeadProblem::kIncomplete) break_off("a message of no known form", out);
      return;
    }
    if (head->body_length > kMaxSmallMessage) {
      break_off("a message that is too long for the console", out);
      return;
    }
    if (input.size() < head->total_length()) return;
    const std::string_view body = input.substr(kHeadLength, head->body_length);
    take_message(head->type, body, out);
    input.remove_prefix(head->total_length());
  }
}

void ConsoleFsm::take_message(char type, std::string_view body, std::string& out) {
  if (type == 'X') {
    is_finished_ = true;
    return;
  }
  if (type == 'S') {
    skips_to_sync_ = false;
    portals_.clear();
    append_ready_for_query(out, TransactionStatus::kIdle);
    return;
  }
  if (skips_to_sync_) return;
  is_simple_ = type == 'Q';
  switch (type) {
    case 'Q':
      return on_query(body, out);
    case 'P':
      return on_parse(body, out);
    case 'B':
      return on_bind(body, out);
    case 'D':
      return on_describe(body, out);
    case 'E':
      return on_execute(body, out);
    case 'C':
      return on_close(body, out);
    case 'H':  // Flush: nothing is ever held back
      return;
    default:
      return break_off(fmt::format("a message of type '{}', which the console does not take", type),
                       out);
  }
}

void ConsoleFsm::on_query(std::string_view body, std::string& out) {
  if (!is_zero_terminated(body))
    return break_off("a Query that is not one zero-terminated text", out);
  body.remove_suffix(1);
  const auto command = parse_console_command(body);
  if (!command) return fail(command.error(), out);
  run(*command, out);
}

void ConsoleFsm::on_parse(std::string_view body, std::string& out) {
  const auto message = read_parse(body);
  if (!message) return break_off("a malformed Parse", out);
  const std::string name(message->statement);
  if (!name.empty() && statements_.contains(name))
    return fail(errors::duplicate_statement(name), out);
  if (statements_.size() >= kMaxStatements && !statements_.contains(name))
    return fail(errors::too_many_statements(kMaxStatements), out);
  auto command = parse_console_command(message->query);
  if (!command) return fail(command.error(), out);
  statements_.insert_or_assign(name, *std::move(command));
  append_empty_message(out, '1');
}

void ConsoleFsm::on_bind(std::string_view body, std::string& out) {
  const auto message = read_bind(body);
  if (!message) return break_off("a malformed Bind", out);
  const auto statement = statements_.find(message->target.statement);
  if (statement == statements_.end())
    return fail(errors::unknown_statement(message->target.statement), out);
  if (!message->values.empty())
    return fail(not_supported("console commands take no parameters"), out);
  if (message->result_format != 0)
    return fail(not_supported("the console answers in text format only"), out);
  const std::string name(message->target.portal);
  if (portals_.size() >= kMaxStatements && !portals_.contains(name))
    return fail(errors::too_many_statements(kMaxStatements), out);
  portals_.insert_or_assign(name, statement->second);
  append_empty_message(out, '2');
}

void ConsoleFsm::on_describe(std::string_view body, std::string& out) {
  const auto target = read_target(body);
  if (!target) return break_off("a malformed Describe", out);
  if (target->what == 'S') {
    const auto statement = statements_.find(target->name);
    if (statement == statements_.end()) return fail(errors::unknown_statement(target->name), out);
    MessageWriter(out, 't').u16(0);  // ParameterDescription
    append_columns(out, statement->second);
    return;
  }
  const auto portal = portals_.find(target->name);
  if (portal == portals_.end()) return fail(errors::unknown_portal(target->name), out);
  append_columns(out, portal->second);
}

void ConsoleFsm::on_execute(std::string_view body, std::string& out) {
  const auto message = read_execute(body);
  if (!message) return break_off("a malformed Execute", out);
  const auto portal = portals_.find(message->portal);
  if (portal == portals_.end()) return fail(errors::unknown_portal(message->portal), out);
  run(portal->second, out);
}

void ConsoleFsm::on_close(std::string_view body, std::string& out) {
  const auto target = read_target(body);
  if (!target) return break_off("a malformed Close", out);
  auto& named = target->what == 'S' ? statements_ : portals_;
  if (const auto found = named.find(target->name); found != named.end()) named.erase(found);
  append_empty_message(out, '3');
}

void ConsoleFsm::run(const ConsoleCommand& command, std::string& out) {
  if (auto refusal = check_rights(command, rights_)) return fail(*refusal, out);
  if (command.action == ConsoleAction::kEmpty) {
    append_empty_message(out, 'I');
    return end_query(out);
  }
  if (command.action == ConsoleAction::kTransaction) {
    append_command_complete(out, command.tag);
    return end_query(out);
  }
  wanted_ = command;
}

void ConsoleFsm::answer(const ConsoleAnswer& answer, std::string& out) {
  const ConsoleCommand command = *std::exchange(wanted_, std::nullopt);
  if (answer.error) return fail(*answer.error, out);
  if (command.shows()) {
    if (is_simple_) append_columns(out, command);
    for (const ConsoleRow& row : answer.rows) append_data_row(out, row);
  }
  append_command_complete(out, command.tag);
  end_query(out);
}

void ConsoleFsm::end_query(std::string& out) {
  if (is_simple_) append_ready_for_query(out, TransactionStatus::kIdle);
}

void ConsoleFsm::fail(const SqlError& error, std::string& out) {
  append_error(out, error);
  if (is_simple_) {
    append_ready_for_query(out, TransactionStatus::kIdle);
  } else {
    skips_to_sync_ = true;
  }
}

void ConsoleFsm::break_off(std::string_view why, std::string& out) {
  append_error(out, {.sqlstate = sqlstate::kProtocolViolation,
                     .message = fmt::format("the client sent {}", why),
                     .hint = {},
                     .severity = Severity::kFatal});
  is_finished_ = true;
}

}  // namespace partywall::sql
