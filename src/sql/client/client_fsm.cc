#include "sql/client/client_fsm.h"

#include "sql/door_errors.h"

namespace partywall::sql {
namespace {

// So many answers may be outstanding before the client has to wait: far more than a server can hold
// back without a Sync or Flush.
constexpr size_t kMaxOwed = 64 * 1024;

}  // namespace

ClientFsm::ClientFsm(ClientIdentity identity, ClientLimits limits,
                     PreparedStatementStore& statements, TenantResolver& tenants)
    : limits_(limits),
      store_(statements),
      tenants_(tenants),
      serial_(identity.serial),
      without_tenant_(identity.without_tenant),
      scope_(std::move(identity.scope)),
      first_settings_(identity.settings),
      first_settings_state_(identity.settings ? FirstSettings::kUntried : FirstSettings::kTaken),
      settings_(std::move(identity.settings)),
      told_(std::move(identity.told)) {
  note_syntax();
}

size_t ClientFsm::receive_from_client(std::string_view bytes, MonotonicTime now) {
  now_ = now;
  const size_t offered = bytes.size();
  while (!is_finished_ && !bytes.empty()) {
    if (body_left_ > 0) {
      if (!takes_rest_of_message()) break;
      const std::string_view part = bytes.substr(0, body_left_);
      take_rest_of_message(part);
      body_left_ -= static_cast<uint32_t>(part.size());
      bytes.remove_prefix(part.size());
      continue;
    }
    const auto head = read_client_head(bytes);
    if (!head) {
      if (head.error() == HeadProblem::kIncomplete) break;
      protocol_violation(head.error() == HeadProblem::kUnknownType ? "an unknown message type"
                                                                   : "a bad message length");
      break;
    }
    if (head->body_length > limits_.max_message_bytes) {
      terminate(errors::message_too_long(limits_.max_message_bytes));
      break;
    }
    if (is_blocked(head->type)) break;
    const std::string_view available = bytes.substr(0, head->total_length());
    body_is_forwarded_ = body_is_copy_data_ = false;
    if (take_message(*head, available) == Taken::kNotYet) break;
    front_is_examined_ = false;
    body_left_ = static_cast<uint32_t>(head->total_length() - available.size());
    bytes.remove_prefix(available.size());
  }
  drain_fabricated();
  return offered - bytes.size();
}

bool ClientFsm::takes_rest_of_message() const {
  return !body_is_copy_data_ || !copy_ || !copy_->must_wait();
}

void ClientFsm::take_rest_of_message(std::string_view part) {
  if (body_is_copy_data_) {
    take_copy_data(part);
  } else if (body_is_forwarded_ && server_) {
    to_server_->relay(part);
  }
}

bool ClientFsm::is_blocked(char type) const {
  if (type == 'X') return false;
  if (type == 'd' || type == 'c' || type == 'f') return copy_ && copy_->must_wait();
  if (server_ && server_->owed() > kMaxOwed) return true;
  if (!awaiting_ready_) return false;
  // Here PostgreSQL ignores Sync and Flush; so do we, but not before we know that it is so.
  return !(takes_copy_data() && (type == 'S' || type == 'H'));
}

bool ClientFsm::takes_copy_data() const {
  return server_ && (server_->is_in_copy_in() || copy_) && !copy_data_ended_;
}

ClientFsm::Taken ClientFsm::take_message(const MessageHead& head, std::string_view available) {
  const bool is_whole = available.size() == head.total_length();
  const bool is_long = head.body_length > limits_.max_statement_bytes;
  const bool is_readable = is_whole || (is_long && available.size() >= limits_.max_statement_bytes);
  switch (head.type) {
    case 'd':
      take_copy_message(available);
      return Taken::kYes;
    case 'Q':
      if (skip_to_sync_) return Taken::kYes;
      return is_readable ? on_query(available, is_long) : Taken::kNotYet;
    case 'F':
      return skip_to_sync_ ? Taken::kYes : on_function_call(available);
    case 'B':
      return skip_to_sync_ ? Taken::kYes : on_bind(head, available);
    case 'P':
      if (skip_to_sync_) return Taken::kYes;
      if (is_long) return is_readable ? on_long_parse(available) : Taken::kNotYet;
      [[fallthrough]];
    default:
      return is_whole ? take_whole_message(head.type, available) : Taken::kNotYet;
  }
}

ClientFsm::Taken ClientFsm::take_whole_message(char type, std::string_view message) {
  switch (type) {
    case 'S':
      return on_sync(message);
    case 'X':
      is_finished_ = true;
      return Taken::kYes;
    case 'c':
    case 'f':
      take_copy_message(message);
      return Taken::kYes;
    default:
      break;
  }
  if (skip_to_sync_) return Taken::kYes;
  switch (type) {
    case 'P':
      return on_parse(message);
    case 'D':
      return on_describe(message);
    case 'E':
      return on_execute(message);
    case 'C':
      return on_close(message);
    case 'H':
      if (is_sent_ && !takes_copy_data()) to_server_->relay(message);
      return Taken::kYes;
    default:
      protocol_violation("a message that has no place here");
      return Taken::kYes;
  }
}

// Outside COPY the server ignores these too: a client may still be sending after its COPY failed.
void ClientFsm::take_copy_message(std::string_view part) {
  if (!is_sent_) return;
  if (copy_) {
    if (copy_data_ended_) return;
    if (part[0] != 'd') return take_end_of_copy(part);
    body_is_copy_data_ = true;
    take_copy_data(part.substr(kHeadLength));
    return;
  }
  to_server_->relay(part);
  body_is_forwarded_ = true;
  if (part[0] != 'd') copy_data_ended_ = true;
}

void ClientFsm::protocol_violation(std::string_view what) {
  terminate({.sqlstate = sqlstate::kProtocolViolation,
             .message = "the client broke the PostgreSQL protocol: " + std::string(what),
             .hint = "Use a client library for PostgreSQL's protocol 3.0."});
}

void ClientFsm::terminate(const SqlError& error) {
  if (is_finished_) return;
  SqlError last = error;
  last.severity = Severity::kFatal;
  append_error(to_client_.tail(), last);
  is_finished_ = true;
}

void ClientFsm::attach(ServerFsm& server, Outbox& to_server) {
  server_ = &server;
  to_server_ = &to_server;
  wanted_.reset();
}

void ClientFsm::detach() {
  server_ = nullptr;
  to_server_ = nullptr;
}

void ClientFsm::stop_counting_time(MonotonicTime now) {
  if (!sent_at_) return;
  const Duration took = now - *sent_at_;
  progress_.busy += took;
  if (took >= slow_threshold_) {
    noted_.took = took;
    noted_.failed = has_failed_;
    noted_.syntax = syntax_;
    progress_.slow = std::exchange(noted_, {});
  }
  sent_at_.reset();
}

bool ClientFsm::may_release() const {
  return server_ && !front_is_examined_ && !is_sent_ && !is_pinned_ && server_->is_quiet() &&
         server_->transaction_status() == TransactionStatus::kIdle;
}

bool ClientFsm::is_idle() const {
  return !wanted_ && !is_sent_ && !is_trying_settings() && !skip_to_sync_ && body_left_ == 0 &&
         status() == TransactionStatus::kIdle;
}

std::optional<MonotonicTime> ClientFsm::idle_in_transaction_since() const {
  if (!server_ || is_sent_ || is_trying_settings() || status() == TransactionStatus::kIdle)
    return std::nullopt;
  return ready_at_;
}

}  // namespace partywall::sql
