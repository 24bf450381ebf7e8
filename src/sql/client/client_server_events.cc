// What the server says, on its way to the client.
#include <algorithm>

#include <fmt/format.h>

#include "sql/client/client_fsm.h"
#include "sql/door_errors.h"
#include "sql/wire/command_tag.h"

namespace partywall::sql {

using EventKind = ServerFsm::EventKind;

size_t ClientFsm::receive_from_server(std::string_view bytes, MonotonicTime now) {
  now_ = now;
  const size_t offered = bytes.size();
  while (server_ && !is_finished_) {
    const ServerFsm::Event event = server_->next(bytes);
    if (event.kind == EventKind::kNeedMore) break;
    on_server_event(event);
  }
  return offered - bytes.size();
}

// Answers that the door gives in the server's place, where nothing of the server comes before them.
void ClientFsm::drain_fabricated() {
  if (!server_ || !server_->is_fabricated_answer_due()) return;
  receive_from_server({}, now_);
}

void ClientFsm::on_server_event(const ServerFsm::Event& event) {
  switch (event.kind) {
    case EventKind::kRelay:
    case EventKind::kCopyIn:
      to_client_.relay(event.bytes);
      break;
    case EventKind::kCommandComplete:
      on_command_complete(event);
      break;
    case EventKind::kSwallowedRow:
      on_swallowed_row(event.text);
      break;
    case EventKind::kSwallowedExecute:
      on_swallowed_execute(event.text);
      break;
    case EventKind::kError:
      on_server_error(event);
      break;
    case EventKind::kParameterStatus:
      on_parameter_status(event);
      break;
    case EventKind::kReady:
      on_server_ready(event.bytes);
      break;
    case EventKind::kRefused:
      undo_skipped();
      append_error(to_client_.tail(), refusal_ ? *refusal_ : errors::server_lost());
      has_failed_ = true;
      ++progress_.errors;
      break;
    case EventKind::kOwnRequestFailed:
      fail_section(errors::binding_failed());
      break;
    case EventKind::kBroken:
      detach();
      terminate(errors::server_lost());
      break;
    case EventKind::kSettingsRefused: {
      const auto error = read_server_error(event.text);
      settings_refusal_ = {std::string(error->sqlstate), std::string(error->message)};
      break;
    }
    case EventKind::kOwnRequestDone:
      if (event.request == Request::kTrySettings) on_settings_tried();
      break;
    case EventKind::kNeedMore:
      break;
  }
  // A Query behind the message that failed will not be answered: the client has to send a Sync.
  if ((event.kind == EventKind::kError || event.kind == EventKind::kRefused) && server_ &&
      server_->is_skipping())
    awaiting_ready_ = false;
  if (event.kind == EventKind::kError || event.kind == EventKind::kRefused) end_copy_after_error();
  // A Sync that the server ignores while it takes CopyData does not end the section.
  if (event.kind == EventKind::kCopyIn) {
    copy_data_ended_ = false;
    if (server_->owes_only_execute()) awaiting_ready_ = false;
  }
}

void ClientFsm::on_command_complete(const ServerFsm::Event& event) {
  ++progress_.statements;
  ++noted_.statements;
  if (slow_threshold_ != Duration::max()) noted_.rows += rows_of_tag(event.text);
  busy_since_ = now_;  // the next one has its own time
  was_rolled_back_ = event.text == "ROLLBACK";
  if (event.text == "DISCARD ALL") {
    discard_all();
    resets_settings_ = true;
  }
  if (event.text == "DEALLOCATE ALL") named_.clear();
  to_client_.relay(event.bytes);
}

// What was noted here when it was sent, but was not executed because of an error before it.
void ClientFsm::undo_skipped() {
  ServerFsm::Skipped skipped = server_->take_skipped();
  for (; !name_changes_.empty(); name_changes_.pop_back()) {
    NameChange& last = name_changes_.back();
    if (last.parsed != 0) {
      if (std::ranges::find(skipped.statements, last.parsed) == skipped.statements.end()) break;
      named_.remove(last.name);
    } else {
      if (skipped.closes-- == 0) break;
      if (last.closed) named_.add(last.name, last.closed);
    }
  }
  if (skipped.binds > 0) unnamed_portal_is_bound_ = false;
}

void ClientFsm::on_server_error(const ServerFsm::Event& event) {
  has_failed_ = true;
  ++progress_.errors;
  undo_skipped();
  const auto error = read_server_error(event.text);
  if (cancel_reason_ && error->sqlstate == sqlstate::kQueryCanceled) {
    append_error(to_client_.tail(), *cancel_reason_);
  } else if (copy_ && copy_->phase() != CopyTranslation::Phase::kAsking) {
    to_client_.tail().append(copy_->error_message(event.text));
  } else {
    to_client_.relay(event.bytes);
  }
  if (error->is_fatal()) {
    detach();
    is_finished_ = true;
  }
}

void ClientFsm::on_parameter_status(const ServerFsm::Event& event) {
  const TrackedSetting* tracked = find_tracked_setting(event.text);
  if (tracked && is_sent_) settings_ = server_->settings();
  const std::string* told = told_.find(event.text);
  if (told && *told == event.value) return;
  if (settings_before_tenant_ && told && !settings_before_tenant_->told.find(event.text))
    settings_before_tenant_->told.set(event.text, *told);
  told_.set(event.text, event.value);
  note_syntax();
  to_client_.relay(event.bytes);
}

void ClientFsm::note_syntax() {
  const std::string* strings = told_.find("standard_conforming_strings");
  const std::string* encoding = told_.find("client_encoding");
  syntax_.standard_conforming_strings = !strings || *strings == "on";
  syntax_.ascii_safe_encoding = !encoding || is_ascii_safe_encoding(*encoding);
}

void ClientFsm::on_server_ready(std::string_view message) {
  stop_counting_time(now_);
  if (soils_server_) server_->soil();
  if (hides_statements_) server_->distrust_statements();
  if (resets_settings_) settings_ = first_settings_;
  if (server_->transaction_status() == TransactionStatus::kIdle) {
    ++progress_.transactions;
    scope_.end(/*committed=*/!has_failed_ && !was_rolled_back_);
    restore_settings_of_session();
    transaction_since_.reset();
  } else {
    scope_.moved_to_server();
  }
  if (copy_ && !has_failed_) {
    ++progress_.statements;
    ++noted_.statements;
    noted_.rows += copy_->copied();
    append_command_complete(to_client_.tail(), fmt::format("COPY {}", copy_->copied()));
  }
  to_client_.relay(message);
  close_section();
}

// PostgreSQL would have refused the login with this error: here it is known later.
void ClientFsm::on_settings_tried() {
  first_settings_state_ = FirstSettings::kTaken;
  busy_since_.reset();
  if (!settings_refusal_) return;
  ++progress_.errors;
  terminate({.sqlstate = settings_refusal_->sqlstate,
             .message = settings_refusal_->message,
             .hint = "It was named when the connection was made: correct it there."});
}

void ClientFsm::restore_settings_of_session() {
  const auto before = std::exchange(settings_before_tenant_, std::nullopt);
  if (!before) return;
  settings_ = before->settings;
  for (const auto& [name, value] : before->told.entries()) {
    const std::string* told = told_.find(name);
    if (told && *told == value) continue;
    told_.set(name, value);
    append_parameter_status(to_client_.tail(), name, value);
  }
  note_syntax();
}

// The section cannot be answered; the session goes on without the server connection.
void ClientFsm::fail_section(const SqlError& error) {
  const bool has_ended = awaiting_ready_;
  detach();
  append_error(to_client_.tail(), error);
  ++progress_.errors;
  scope_.lost_server(status_before_);
  restore_settings_of_session();
  transaction_since_.reset();
  close_section();
  if (has_ended) {
    answer_ready();
  } else {
    skip_to_sync_ = true;
  }
}

void ClientFsm::on_server_closed() {
  if (!server_) return;
  // Nothing of the client's was sent: another connection will do.
  if (is_trying_settings()) {
    first_settings_state_ = FirstSettings::kUntried;
    front_is_examined_ = false;
    busy_since_.reset();
    detach();
    return;
  }
  if (server_->is_serving_own_request()) {
    fail_section(errors::binding_failed());
    return;
  }
  const bool was_idle = !is_sent_ && status() == TransactionStatus::kIdle;
  detach();
  terminate(was_idle ? errors::pinned_server_lost() : errors::server_lost());
}

}  // namespace partywall::sql
