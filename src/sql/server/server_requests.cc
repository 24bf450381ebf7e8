// The requests that the door makes of a server on its own account.
#include "sql/server/server_fsm.h"
#include "sql/wire/extended_messages.h"

namespace partywall::sql {

// FunctionCall: half of what Parse, Bind and Execute of a SELECT cost, and it needs no name and no
// search_path. One argument in binary format, a text result.
void ServerFsm::send_enter(Outbox& out, TenantId tenant, std::string_view token) {
  tenancy_.enter_sent(tenant);
  expect(Request::kEnter);
  MessageWriter call(out.tail(), 'F');
  call.u32(info_.enter_oid);
  call.u16(1).u16(1);
  call.u16(1).u32(static_cast<uint32_t>(token.size())).bytes(token);
  call.u16(0);
}

void ServerFsm::send_settings(Outbox& out, const SettingsRef& wanted) {
  if (same_settings(settings_, wanted)) {
    settings_ = wanted;
    return;
  }
  append_query(out.tail(), settings_statement(settings_, wanted));
  expect(Request::kSettings);
  settings_ = wanted;
}

void ServerFsm::try_settings(Outbox& out, const SettingsRef& wanted) {
  settings_before_ = settings_;
  append_query(out.tail(), settings_statement(settings_, wanted));
  expect(Request::kTrySettings);
  settings_ = wanted;
}

void ServerFsm::send_begin(Outbox& out, std::string_view statement) {
  append_query(out.tail(), statement);
  expect(Request::kBegin);
}

void ServerFsm::send_reset(Outbox& out) {
  if (!is_quiet()) tenancy_.apply(TenancyEvent::kViolation);
  tenancy_.apply(TenancyEvent::kResetSent);
  if (status_ != TransactionStatus::kIdle) {
    append_query(out.tail(), "ROLLBACK");
    expect(Request::kRollback);
  }
  // A tenant's tiny time-out must neither make the reset fail nor, when it expires while the reset
  // commits, hit what comes next: PostgreSQL reports such a one at the next message.
  append_query(out.tail(), "RESET statement_timeout");
  expect(Request::kSettings);
  append_query(out.tail(), "DISCARD ALL");
  expect(Request::kReset);
}

std::string ServerFsm::use_statement(Outbox& out, const PreparedStatement& statement) {
  if (distrust_statements_ || !statements_.touch(statement.id)) {
    const std::string name = replace_statement(out, statement);
    append_parse(out.tail(), name, statement.definition);
    expect(Request::kParse, Disposition::kSwallow, statement.id);
    return name;
  }
  return statements_.name_of(statement.id);
}

std::string ServerFsm::replace_statement(Outbox& out, const PreparedStatement& statement) {
  if (distrust_statements_) drop_statements(out);
  const uint64_t old = statements_.touch(statement.id) ? statement.id : statements_.surplus();
  if (old != 0) {
    append_target(out.tail(), 'C', 'S', statements_.name_of(old));
    expect(Request::kClose, Disposition::kSwallow);
    statements_.remove(old);
  }
  statements_.add(statement.id);
  return statements_.name_of(statement.id);
}

bool ServerFsm::use_unnamed_statement(Outbox& out, uint64_t owner, std::string_view definition) {
  if (unnamed_owner_ == owner) return true;
  if (definition.empty()) return false;
  append_parse(out.tail(), "", definition);
  expect(Request::kParse, Disposition::kSwallow);
  unnamed_owner_ = owner;
  return true;
}

void ServerFsm::change_client(Outbox& out, uint64_t client) {
  if (client_ == client) return;
  client_ = client;
  if (!info_.statement_names_are_private) drop_statements(out);
}

void ServerFsm::drop_statements(Outbox& out) {
  distrust_statements_ = false;
  for (const uint64_t id : statements_.ids()) {
    append_target(out.tail(), 'C', 'S', statements_.name_of(id));
    expect(Request::kClose, Disposition::kSwallow);
  }
  statements_.forget_all();
}

}  // namespace partywall::sql
