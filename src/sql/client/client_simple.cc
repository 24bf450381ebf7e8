// The simple query protocol, and FunctionCall.
#include "sql/client/client_fsm.h"
#include "sql/door_errors.h"

namespace partywall::sql {
namespace {

bool sets_tenant(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kSetTenant:
    case StatementKind::kSelectSetConfig:
    case StatementKind::kResetTenant:
    case StatementKind::kUnclearTenantSetting:
      return true;
    default:
      return false;
  }
}

// Leaves nothing behind, and undoes nothing where there is nothing.
bool is_cleaning(const Statement& statement) {
  switch (statement.kind) {
    case StatementKind::kResetAll:
    case StatementKind::kUnlisten:
    case StatementKind::kCloseAll:
    case StatementKind::kUnlockAll:
      return true;
    case StatementKind::kDeallocate:
      return statement.name.empty();
    default:
      return false;
  }
}

// The one row of pg_advisory_unlock_all(): of type void.
void append_unlock_all(std::string& out) {
  constexpr uint32_t kVoidType = 2278;
  MessageWriter(out, 'T')
      .u16(1)
      .c_string("pg_advisory_unlock_all")
      .u32(0)
      .u16(0)
      .u32(kVoidType)
      .u16(4)
      .u32(0xffffffff)
      .u16(0);
  append_text_row(out, "");
  append_command_complete(out, "SELECT 1");
}

}  // namespace

// A text that is too long is passed on unread but for what its first part shows; `available` may be
// no more than that part.
ClientFsm::Taken ClientFsm::on_query(std::string_view available, bool is_long) {
  std::string_view text = available.substr(kHeadLength, limits_.max_statement_bytes);
  if (!is_long) {
    if (text.empty() || text.find('\0') != text.size() - 1) {
      protocol_violation("a Query that is not one zero-terminated text");
      return Taken::kYes;
    }
    text.remove_suffix(1);
  }
  unnamed_.number = 0;  // as in PostgreSQL
  unnamed_portal_is_bound_ = false;
  if (!front_is_examined_) {
    StatementReader statements(text, syntax_);
    const Statement first = *statements.next();
    if (!is_long && is_cleaning(first) && answer_cleaning(text)) return Taken::kYes;
    const auto second = statements.next();
    if (!is_long && !second && is_local(first)) {
      answer_query(first);
      return Taken::kYes;
    }
    if (auto refusal = examine(first, second, statements)) {
      refuse(*refusal, Request::kQuery);
      return Taken::kYes;
    }
    if (is_long) hides_statements_ = true;
  }
  switch (access_server(Request::kQuery)) {
    case Access::kWait:
      return Taken::kNotYet;
    case Access::kRefused:
      return Taken::kYes;
    case Access::kGranted:
      break;
  }
  note_text(text);
  // Behind messages that were flushed and answered it may come, as asyncpg sends it.
  const bool is_behind_others = is_sent_ && !server_->is_quiet();
  if (auto copy = is_long || is_behind_others ? std::nullopt : copy_to_be_translated(text)) {
    ask_about_copy(std::move(*copy), text);
    return Taken::kYes;
  }
  end_section(Request::kQuery, available);
  return Taken::kYes;
}

// What pools of connections send when one is given back to them: without a server connection there
// is nothing to clean. False: it is not all of that kind, or there is.
bool ClientFsm::answer_cleaning(std::string_view text) {
  if (server_ || scope_.phase() != TransactionScope::Phase::kNone ||
      !same_settings(settings_, first_settings_)) {
    return false;
  }
  StatementReader all(text, syntax_);
  for (auto statement = all.next(); statement; statement = all.next()) {
    if (!is_cleaning(*statement)) return false;
  }
  StatementReader again(text, syntax_);
  for (auto statement = again.next(); statement; statement = again.next()) clean(*statement);
  answer_ready();
  return true;
}

void ClientFsm::clean(const Statement& statement) {
  std::string& out = to_client_.tail();
  switch (statement.kind) {
    case StatementKind::kResetAll:
      scope_.reset_session();
      append_command_complete(out, "RESET");
      break;
    case StatementKind::kUnlisten:
      append_command_complete(out, "UNLISTEN");
      break;
    case StatementKind::kCloseAll:
      append_command_complete(out, "CLOSE CURSOR ALL");
      break;
    case StatementKind::kDeallocate:
      named_.clear();
      append_command_complete(out, "DEALLOCATE ALL");
      break;
    default:
      append_unlock_all(out);
      break;
  }
}

void ClientFsm::answer_query(const Statement& statement) {
  const LocalReply reply = perform(statement, {}, Extent::kStatement);
  if (reply.error) {
    refuse(*reply.error, Request::kQuery);
    return;
  }
  if (reply.row) append_text_row_description(to_client_.tail(), reply.row->column);
  append_execution(to_client_.tail(), reply);
  answer_ready();
}

// What is to be said against passing these statements on; notes what they leave behind.
std::optional<SqlError> ClientFsm::examine(const Statement& first, std::optional<Statement> next,
                                           StatementReader& rest) {
  if (auto refusal = examine_first(first, next.has_value())) return refusal;
  // BEGIN; SET LOCAL app.current_tenant = …; …: nothing was executed before the tenant is known.
  if (next && first.kind == StatementKind::kBegin && sets_tenant(*next)) {
    if (auto refusal = examine_first(*next, true)) return refusal;
    next = rest.next();
  }
  for (; next; next = rest.next()) {
    if (sets_tenant(*next)) return errors::tenant_set_after_other_statements();
    if (auto refusal = note_session_effects(*next)) return refusal;
  }
  return std::nullopt;
}

std::optional<SqlError> ClientFsm::examine_first(const Statement& first, bool is_one_of_several) {
  if (first.kind == StatementKind::kUnclearTenantSetting) return errors::unclear_tenant_setting();
  // Behind messages without a Sync it may only repeat whose transaction it is.
  if (sets_tenant(first) && (is_one_of_several || is_sent_))
    return perform_set_tenant(first, {}, Extent::kSection).error;
  return note_session_effects(first);
}

ClientFsm::Taken ClientFsm::on_function_call(std::string_view available) {
  if (tenants_transaction_ended_) {
    refuse(errors::statement_after_transaction_of_tenant(), Request::kFunctionCall);
    body_is_forwarded_ = false;
    return Taken::kYes;
  }
  switch (access_server(Request::kFunctionCall)) {
    case Access::kWait:
      return Taken::kNotYet;
    case Access::kRefused:
      return Taken::kYes;
    case Access::kGranted:
      break;
  }
  end_section(Request::kFunctionCall, available);
  return Taken::kYes;
}

}  // namespace partywall::sql
