#include "sql/server/server_fsm.h"

#include <algorithm>

#include "sql/wire/extended_messages.h"
#include "sql/wire/field_reader.h"
#include "sql/wire/message.h"
#include "sql/wire/sql_error.h"

namespace partywall::sql {
namespace {

// Messages that must be seen whole are no longer than this; PostgreSQL's are far shorter.
constexpr uint32_t kMaxWholeMessage = 1 << 20;

std::string_view body_of(std::string_view message) { return message.substr(kHeadLength); }

std::string_view without_zero(std::string_view text) { return text.substr(0, text.find('\0')); }

// Enough of a notice to tell its severity.
constexpr size_t kNoticeFront = 64;

// The second field is the severity in English; what is not understood might be one.
bool may_be_debug_notice(std::string_view body) {
  FieldReader reader(body.substr(0, kNoticeFront - kHeadLength));
  if (reader.u8() != 'S') return true;
  reader.c_string();
  if (reader.u8() != 'V') return true;
  const std::string_view severity = reader.c_string();
  return !reader.ok() || severity.starts_with("DEBUG");
}

std::string_view fabricated_answer(Request request) {
  using namespace std::string_view_literals;
  return request == Request::kParse ? "1\0\0\0\4"sv : "3\0\0\0\4"sv;
}

}  // namespace

ServerFsm::ServerFsm(ServerInfo info, Random& random, size_t max_statements)
    : info_(std::move(info)), statements_(random, max_statements) {}

void ServerFsm::expect(Request request, Disposition disposition, uint64_t statement) {
  if (skipping_) {
    if (request != Request::kSync) return;  // the server skips it too
    skipping_ = false;
  }
  if (is_simple_query(request)) unnamed_owner_ = 0;  // PostgreSQL drops the unnamed statement
  expectations_.push({request, disposition, statement});
}

ServerFsm::Event ServerFsm::next(std::string_view& input) {
  if (tenancy_.state() == TenancyState::kBroken) return broken("the connection is broken");
  if (body_left_ > 0) return take_part_of_body(input);
  if (!expectations_.empty() && expectations_.front().disposition == Disposition::kFabricate) {
    const std::string_view bytes = fabricated_answer(expectations_.front().request);
    expectations_.pop();
    return {.kind = EventKind::kRelay, .bytes = bytes};
  }
  return read_message(input);
}

ServerFsm::Event ServerFsm::take_part_of_body(std::string_view& input) {
  if (input.empty()) return {};
  const std::string_view part = input.substr(0, body_left_);
  input.remove_prefix(part.size());
  body_left_ -= static_cast<uint32_t>(part.size());
  return {.kind = EventKind::kRelay, .bytes = body_is_for_client_ ? part : std::string_view()};
}

ServerFsm::Event ServerFsm::read_message(std::string_view& input) {
  const auto head = read_server_head(input);
  if (!head) {
    if (head.error() == HeadProblem::kIncomplete) return {};
    return broken("the server sent something that is not a message of its protocol");
  }
  if (may_stream(head->type)) {
    if (head->type == 'N' && input.size() < std::min(head->total_length(), kNoticeFront)) return {};
    const std::string_view part = input.substr(0, head->total_length());
    input.remove_prefix(part.size());
    body_left_ = static_cast<uint32_t>(head->total_length() - part.size());
    body_is_for_client_ = !is_serving_own_request();
    note_streamed(head->type, part);
    return {.kind = EventKind::kRelay, .bytes = body_is_for_client_ ? part : std::string_view()};
  }
  if (head->body_length > kMaxWholeMessage) return broken("a message of the server is too long");
  if (input.size() < head->total_length()) return {};
  const std::string_view message = input.substr(0, head->total_length());
  input.remove_prefix(message.size());
  return read_whole_message(head->type, message);
}

// Messages that may be long and whose contents do not matter here, where they are allowed.
bool ServerFsm::may_stream(char type) const {
  switch (type) {
    case 'N':
    case 'A':
      return true;
    case 'D':
    case 'd':
      if (front_is({Request::kSettings, Request::kTrySettings})) return type == 'D';
      if (is_swallowing_execute()) return false;
      return front_is({Request::kQuery, Request::kExecute});
    case 'T':
      return front_is({Request::kQuery, Request::kDescribeStatement, Request::kDescribePortal,
                       Request::kSettings, Request::kTrySettings});
    case 't':
      return front_is({Request::kDescribeStatement});
    case 'V':
      return front_is({Request::kFunctionCall});
    default:
      return false;
  }
}

void ServerFsm::note_streamed(char type, std::string_view part) {
  // They name the statements that are parsed and bound.
  if (type == 'N' && may_be_debug_notice(body_of(part))) distrust_statements();
  if (type == 'T' && front_is({Request::kDescribeStatement, Request::kDescribePortal}))
    expectations_.pop();
}

ServerFsm::Event ServerFsm::read_whole_message(char type, std::string_view message) {
  if (type == 'S') return on_parameter_status(message);
  if (type == 'Z') return on_ready(message);
  if (type == 'E') return on_error(message);
  if (is_serving_own_request()) return on_own_message(type, message);
  return on_client_message(type, message);
}

ServerFsm::Event ServerFsm::on_own_message(char type, std::string_view message) {
  const Request request = expectations_.front().request;
  const std::string_view tag = without_zero(body_of(message));
  const bool proves_success =
      (request == Request::kEnter && type == 'V') ||
      ((request == Request::kSettings || request == Request::kTrySettings) && type == 'C') ||
      (request == Request::kBegin && type == 'C' &&
       (tag == "BEGIN" || tag == "START TRANSACTION")) ||
      (request == Request::kRollback && type == 'C' && tag == "ROLLBACK") ||
      (request == Request::kReset && type == 'C' && tag == "DISCARD ALL");
  if (!proves_success) return broken("an unexpected answer to a request of the door");
  own_answer_seen_ = true;
  return {.kind = EventKind::kRelay};
}

ServerFsm::Event ServerFsm::on_own_ready(TransactionStatus status) {
  const Request request = expectations_.front().request;
  const auto wanted =
      request == Request::kBegin ? TransactionStatus::kInTransaction : TransactionStatus::kIdle;
  if (!own_answer_seen_ || status != wanted)
    return broken("an unexpected end of a request of the door");
  own_answer_seen_ = false;
  expectations_.pop();
  if (request == Request::kEnter) tenancy_.apply(TenancyEvent::kEntered);
  if (request == Request::kReset) {
    tenancy_.apply(TenancyEvent::kResetDone);
    statements_.forget_all();
    settings_ = nullptr;
    unnamed_owner_ = client_ = 0;
  }
  return {.kind = EventKind::kOwnRequestDone, .request = request};
}

ServerFsm::Event ServerFsm::on_ready(std::string_view message) {
  const std::string_view body = body_of(message);
  if (body.size() != 1 || (body[0] != 'I' && body[0] != 'T' && body[0] != 'E') ||
      expectations_.empty() || !ends_with_ready(expectations_.front().request)) {
    return broken("an unexpected ReadyForQuery");
  }
  status_ = static_cast<TransactionStatus>(body[0]);
  in_copy_in_ = false;
  if (is_serving_own_request()) return on_own_ready(status_);
  expectations_.pop();
  return {.kind = EventKind::kReady, .bytes = message};
}

ServerFsm::Event ServerFsm::on_error(std::string_view message) {
  in_copy_in_ = false;
  const std::string_view body = body_of(message);
  const auto error = read_server_error(body);
  if (!error) return broken("a malformed ErrorResponse");
  // They are one statement, or several of one transaction: nothing of them is left.
  if (front_is({Request::kTrySettings}) && !error->is_fatal()) {
    settings_ = settings_before_;
    own_answer_seen_ = true;
    return {.kind = EventKind::kSettingsRefused, .text = body};
  }
  if (is_serving_own_request()) {
    tenancy_.apply(TenancyEvent::kViolation);
    return {.kind = EventKind::kOwnRequestFailed,
            .text = body,
            .request = expectations_.front().request};
  }
  // Somebody emptied the register, or took away a statement of ours, or changed what it is about.
  if (error->sqlstate == sqlstate::kObjectNotInState) soil();
  if (error->sqlstate == sqlstate::kInvalidStatementName ||
      error->sqlstate == sqlstate::kFeatureNotSupported) {
    distrust_statements();
  }
  if (expectations_.empty()) return {.kind = EventKind::kError, .bytes = message, .text = body};
  const bool refused = expectations_.front().disposition == Disposition::kRefuse;
  if (!ends_with_ready(expectations_.front().request)) skip_to_sync();
  if (refused) return {.kind = EventKind::kRefused};
  return {.kind = EventKind::kError, .bytes = message, .text = body};
}

// After an error the server skips everything up to the next Sync, a Query or FunctionCall too.
void ServerFsm::skip_to_sync() {
  while (!expectations_.empty() && expectations_.front().request != Request::kSync) {
    const Expectation& skipped = expectations_.front();
    if (skipped.request == Request::kParse && skipped.statement != 0) {
      statements_.remove(skipped.statement);
      skipped_.statements.push_back(skipped.statement);
    }
    if (skipped.request == Request::kBind) ++skipped_.binds;
    if (skipped.request == Request::kClose && skipped.disposition == Disposition::kFabricate) {
      ++skipped_.closes;
    }
    if (skipped.request == Request::kClose && skipped.disposition == Disposition::kSwallow) {
      distrust_statements();
    }
    if (skipped.request == Request::kParse && skipped.statement == 0) unnamed_owner_ = 0;
    expectations_.pop();
  }
  skipping_ = expectations_.empty();
}

ServerFsm::Event ServerFsm::on_parameter_status(std::string_view message) {
  FieldReader reader(body_of(message));
  const std::string_view name = reader.c_string();
  const std::string_view value = reader.c_string();
  if (!reader.ok_and_at_end()) return broken("a malformed ParameterStatus");
  const TrackedSetting* tracked = find_tracked_setting(name);
  if (tracked && !is_serving_own_request())
    settings_ = with_setting(settings_, tracked->name, value);
  return {.kind = EventKind::kParameterStatus, .bytes = message, .text = name, .value = value};
}

ServerFsm::Event ServerFsm::on_client_message(char type, std::string_view message) {
  switch (type) {
    case '1':
      return answer({Request::kParse}, message);
    case '2':
      return answer({Request::kBind}, message);
    case '3':
      return answer({Request::kClose}, message);
    case 'n':
      return answer({Request::kDescribeStatement, Request::kDescribePortal}, message);
    case 's':
      return answer({Request::kExecute}, message);
    case 'I':
      if (front_is({Request::kQuery})) return {.kind = EventKind::kRelay, .bytes = message};
      return answer({Request::kExecute}, message);
    case 'C':
      return command_complete(message);
    case 'D':
      if (!is_swallowing_execute()) break;
      return {.kind = EventKind::kSwallowedRow, .text = body_of(message)};
    case 'G':
      return on_copy_in(message);
    case 'H':
    case 'c':
      if (!front_is({Request::kQuery, Request::kExecute})) break;
      return {.kind = EventKind::kRelay, .bytes = message};
    default:
      break;
  }
  return broken("an unexpected message");
}

ServerFsm::Event ServerFsm::answer(std::initializer_list<Request> allowed,
                                   std::string_view message) {
  if (!front_is(allowed)) return broken("an answer to something else");
  if (expectations_.front().disposition == Disposition::kRefuse)
    return broken("what was to be refused has succeeded");
  const bool forward = expectations_.front().disposition == Disposition::kForward;
  expectations_.pop();
  return {.kind = EventKind::kRelay, .bytes = forward ? message : std::string_view()};
}

ServerFsm::Event ServerFsm::command_complete(std::string_view message) {
  if (!front_is({Request::kQuery, Request::kExecute}))
    return broken("an unexpected CommandComplete");
  if (expectations_.front().disposition == Disposition::kRefuse)
    return broken("a refused statement was executed");
  const bool is_swallowed = is_swallowing_execute();
  if (expectations_.front().request == Request::kExecute) expectations_.pop();
  in_copy_in_ = false;
  const std::string_view tag = without_zero(body_of(message));
  // These empty the tenant register, and drop our prepared statements.
  if (tag == "DISCARD ALL" || tag == "DISCARD SEQUENCES" || tag.starts_with("DEALLOCATE")) soil();
  if (is_swallowed) return {.kind = EventKind::kSwallowedExecute, .text = tag};
  return {.kind = EventKind::kCommandComplete, .bytes = message, .text = tag};
}

ServerFsm::Event ServerFsm::on_copy_in(std::string_view message) {
  if (!front_is({Request::kQuery, Request::kExecute}))
    return broken("an unexpected CopyInResponse");
  in_copy_in_ = true;
  // The server ignores a Sync while it takes CopyData; the client has to send another one.
  if (expectations_.front().request == Request::kExecute) expectations_.drop_second(Request::kSync);
  return {.kind = EventKind::kCopyIn, .bytes = message};
}

bool ServerFsm::is_swallowing_execute() const {
  return front_is({Request::kExecute}) &&
         expectations_.front().disposition == Disposition::kSwallow;
}

bool ServerFsm::front_is(std::initializer_list<Request> requests) const {
  return !expectations_.empty() &&
         std::ranges::find(requests, expectations_.front().request) != requests.end();
}

ServerFsm::Event ServerFsm::broken(std::string_view why) {
  tenancy_.apply(TenancyEvent::kViolation);
  return {.kind = EventKind::kBroken, .text = why};
}

}  // namespace partywall::sql
