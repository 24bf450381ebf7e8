// What all requests of a client have in common: the server connection they need, failing, the end.
#include "sql/client/client_fsm.h"
#include "sql/door_errors.h"

namespace partywall::sql {
namespace {

// pg_advisory_lock and its kin hold to the end of the session; pg_advisory_xact_lock does not. A
// text that only mentions one pins the connection for nothing, which harms nobody.
bool may_take_session_lock(std::string_view text) {
  return text.find("advisory_lock") != text.npos || text.find("ADVISORY_LOCK") != text.npos;
}

}  // namespace

TransactionStatus ClientFsm::status() const {
  return scope_.phase() == TransactionScope::Phase::kOnServer && server_
             ? server_->transaction_status()
             : scope_.status();
}

// A section or a transaction is under way there; portals can be there only then.
bool ClientFsm::is_open_on_server() const {
  return server_ && scope_.phase() == TransactionScope::Phase::kOnServer;
}

// Before anything is forwarded: is the connection of the right tenant there?
ClientFsm::Access ClientFsm::access_server(Request request) {
  if (is_open_on_server()) return Access::kGranted;
  std::optional<SqlError> refusal = std::exchange(refused_server_, std::nullopt);
  const auto tenant = scope_.tenant();
  if (scope_.phase() == TransactionScope::Phase::kFailed) {
    refusal = errors::in_failed_transaction();
  } else if (!tenant && without_tenant_ == WithoutTenant::kRefuse) {
    refusal = errors::no_tenant();
  } else if (server_ && server_->tenancy().tenant() != tenant.value_or(TenantId())) {
    refusal = errors::pinned_to_other_tenant();
  } else if (server_ && tenant && !refusal && !front_is_examined_) {
    refusal = tenants_.objection(*tenant);
  }
  if (refusal) {
    refuse(*refusal, request);
    return Access::kRefused;
  }
  if (server_) return settings_are_taken() ? Access::kGranted : Access::kWait;
  wanted_ = tenant.value_or(TenantId());
  front_is_examined_ = true;
  return Access::kWait;
}

// What a client names at start-up may be wrong, and what is behind it must not run then. A server
// that has the same settings already has taken them.
bool ClientFsm::settings_are_taken() {
  if (first_settings_state_ == FirstSettings::kUntried) {
    if (same_settings(server_->settings(), settings_)) {
      first_settings_state_ = FirstSettings::kTaken;
    } else {
      first_settings_state_ = FirstSettings::kTrying;
      front_is_examined_ = true;
      busy_since_ = now_;  // it has a statement's time for it
      server_->try_settings(*to_server_, settings_);
    }
  }
  return first_settings_state_ == FirstSettings::kTaken;
}

void ClientFsm::refuse_server(const SqlError& error) {
  wanted_.reset();
  refused_server_ = error;
}

void ClientFsm::open_on_server() {
  if (is_sent_) return;
  status_before_ = status();
  is_sent_ = true;
  busy_since_ = sent_at_ = now_;
  if (scope_.phase() != TransactionScope::Phase::kOnServer) {
    transaction_since_ = now_;
    server_->send_settings(*to_server_, settings_);
    if (scope_.is_tenant_of_transaction_only())
      settings_before_tenant_ = SettingsBefore{settings_, {}};
  }
  if (const std::string_view begin = scope_.deferred_begin(); !begin.empty())
    server_->send_begin(*to_server_, begin);
  scope_.moved_to_server();
  server_->change_client(*to_server_, serial_);
}

// Of what is sent as one, the first statement's is told.
void ClientFsm::note_text(std::string_view text) {
  constexpr size_t kNotedBytes = 4 * 1024;
  if (slow_threshold_ != Duration::max() && noted_.text.empty())
    noted_.text = text.substr(0, kNotedBytes);
}

void ClientFsm::forward(Request request, std::string_view bytes, uint64_t statement) {
  open_on_server();
  to_server_->relay(bytes);
  body_is_forwarded_ = true;
  server_->expect(request, Disposition::kForward, statement);
}

void ClientFsm::end_section(Request request, std::string_view bytes) {
  forward(request, bytes);
  await_ready();
}

// After an error the server ignores all but a Sync: nothing else gets a ReadyForQuery then.
void ClientFsm::await_ready() { awaiting_ready_ = !server_->is_skipping(); }

void ClientFsm::refuse(const SqlError& error, Request request) {
  if (is_open_on_server()) {
    fail_on_server(error, request);
  } else {
    fail_locally(error, request);
  }
}

void ClientFsm::fail_locally(const SqlError& error, Request request) {
  append_error(to_client_.tail(), error);
  ++progress_.errors;
  scope_.fail();
  has_failed_ = true;
  if (!server_) is_pinned_ = false;
  if (ends_with_ready(request)) {
    answer_ready();
  } else {
    skip_to_sync_ = true;
  }
}

// The transaction must fail as it would have if PostgreSQL had refused the statement: something
// that cannot succeed takes its place, and our error takes the place of the server's.
void ClientFsm::fail_on_server(const SqlError& error, Request request) {
  open_on_server();
  refusal_ = error;
  if (ends_with_ready(request)) {
    append_query(to_server_->tail(), "refused by the sql door");
    server_->expect(Request::kQuery, Disposition::kRefuse);
    await_ready();
  } else {
    append_failing_bind();
    skip_to_sync_ = true;  // as the server will
  }
}

void ClientFsm::append_failing_bind() {
  MessageWriter(to_server_->tail(), 'B')
      .c_string("")
      .c_string("refused by the sql door")
      .u16(0)
      .u16(0)
      .u16(0);
  server_->expect(Request::kBind, Disposition::kRefuse);
}

void ClientFsm::answer_ready() {
  if (scope_.phase() == TransactionScope::Phase::kNone) scope_.end(/*committed=*/!has_failed_);
  append_ready_for_query(to_client_.tail(), status());
  close_section();
}

void ClientFsm::close_section() {
  is_sent_ = awaiting_ready_ = skip_to_sync_ = has_failed_ = was_rolled_back_ = false;
  soils_server_ = hides_statements_ = resets_settings_ = copy_data_ended_ = false;
  tenants_transaction_ended_ = false;
  local_portal_.reset();
  refusal_.reset();
  copy_.reset();
  noted_ = {};
  cancel_reason_.reset();
  busy_since_.reset();
  name_changes_.clear();
  closed_bytes_ = 0;
  ready_at_ = now_;
}

std::optional<SqlError> ClientFsm::note_session_effects(const Statement& statement) {
  // The tenant of SET LOCAL ends with its transaction, but this connection is that tenant's up to
  // the end of the section.
  if (tenants_transaction_ended_) return errors::statement_after_transaction_of_tenant();
  const bool is_tenant_of_transaction_only = scope_.is_tenant_of_transaction_only();
  switch (statement.kind) {
    case StatementKind::kCommit:
    case StatementKind::kRollback:
    case StatementKind::kPrepareTransaction:
      tenants_transaction_ended_ = is_tenant_of_transaction_only;
      return std::nullopt;
    case StatementKind::kCommitAndChain:
    case StatementKind::kRollbackAndChain:
      if (is_tenant_of_transaction_only) return errors::chain_with_tenant_of_transaction();
      return std::nullopt;
    case StatementKind::kAlterRole:
      return errors::role_is_the_doors();
    case StatementKind::kResetAll:
      resets_settings_ = true;
      [[fallthrough]];
    case StatementKind::kDiscardSequences:
      soils_server_ = true;
      return std::nullopt;
    case StatementKind::kReset: {
      const TrackedSetting* tracked = find_tracked_setting(statement.name);
      if (tracked && !tracked->reported) soils_server_ = true;
      return std::nullopt;
    }
    case StatementKind::kSet: {
      if (statement.scope == SettingScope::kTransaction) return std::nullopt;
      const TrackedSetting* tracked = find_tracked_setting(statement.name);
      if (tracked && tracked->reported && !is_tenant_of_transaction_only) return std::nullopt;
      break;
    }
    case StatementKind::kSetTransaction:
      if (statement.scope == SettingScope::kTransaction) return std::nullopt;
      break;
    case StatementKind::kSetRole:
    case StatementKind::kSetSessionAuthorization:
    case StatementKind::kPrepare:
    case StatementKind::kListen:
    case StatementKind::kDeclareWithHold:
    case StatementKind::kCreateTemp:
      break;
    case StatementKind::kOther:
      // DO and CALL run statements that are not seen here: DEALLOCATE, PREPARE.
      hides_statements_ = true;
      [[fallthrough]];
    default:
      if (!may_take_session_lock(statement.text)) return std::nullopt;
  }
  if (is_tenant_of_transaction_only) return errors::session_state_without_session_tenant();
  is_pinned_ = true;
  return std::nullopt;
}

}  // namespace partywall::sql
