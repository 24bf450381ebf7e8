// When a session must do something although nobody says anything: time limits, and the door's end.
#include "base/log.h"
#include "sql/door/session.h"
#include "sql/door_errors.h"

namespace partywall::sql {

void Session::look_at_end() {
  const net::Drain& drain = worker_.drain_signal();
  if (fsm_.is_finished() || (!drain.requested() && !is_killed_)) return;
  if (is_killed_ || drain.must_close()) {
    fsm_.terminate(is_killed_ ? errors::ended_by_operator() : errors::shutting_down());
    flush_client();
    client_is_gone_ = true;
  } else if (fsm_.is_idle() && carry_.empty()) {
    fsm_.terminate(errors::shutting_down());
  }
}

void Session::look_at_time() {
  if (!timer_.fired()) return;
  timer_.disarm();
  const MonotonicTime now = worker_.loop().now();
  const DoorSettings& settings = worker_.settings();
  if (lease_.is_waiting() && now >= lease_.waiting_since() + settings.queue_timeout) {
    lease_.release();
    fsm_.refuse_server(errors::queue_timeout(settings.queue_timeout));
    if (tenant_number_) worker_.meters().add(*tenant_number_, SqlMeter::kRefusals);
  }
  look_at_statement_time(now);
  const auto idle_since = fsm_.idle_in_transaction_since();
  if (idle_since && now >= *idle_since + settings.idle_in_transaction_timeout) {
    fsm_.terminate(errors::idle_in_transaction_timeout(settings.idle_in_transaction_timeout));
  }
  look_at_transaction_time(now);
  if (finishing_since_ && now >= *finishing_since_ + settings.linger_timeout)
    client_is_gone_ = true;
}

// The door's own clock decides: a tenant can change statement_timeout. Cancel, then close.
void Session::look_at_statement_time(MonotonicTime now) {
  const auto busy_since = fsm_.busy_since();
  if (!busy_since || statement_timeout_ == Duration::max() || !lease_.connection()) return;
  if (!cancel_sent_) {
    if (now < *busy_since + statement_timeout_) return;
    cancel_sent_ = now;
    fsm_.explain_cancel(errors::statement_timeout(statement_timeout_));
    if (!fsm_.interrupt_copy(errors::statement_timeout(statement_timeout_)))
      pool_->cancel(lease_.connection());
    if (tenant_number_) worker_.meters().add(*tenant_number_, SqlMeter::kTimeouts);
    return;
  }
  if (now < *cancel_sent_ + worker_.settings().cancel_grace) return;
  lease_.connection()->is_doomed = true;
  fsm_.terminate(errors::statement_timeout(statement_timeout_));
}

// Statements one after another would keep it open for ever, and with it what it has locked.
void Session::look_at_transaction_time(MonotonicTime now) {
  const auto begun = fsm_.in_transaction_since();
  if (!begun || now - *begun < transaction_limit()) return;
  if (fsm_.busy_since() && lease_.connection()) lease_.connection()->is_doomed = true;
  fsm_.terminate(errors::transaction_timeout(transaction_limit()));
  if (tenant_number_) worker_.meters().add(*tenant_number_, SqlMeter::kTimeouts);
}

// Where statements have no limit (migrations), transactions have none either.
Duration Session::transaction_limit() const {
  return std::max(worker_.settings().transaction_timeout, statement_timeout_);
}

std::optional<MonotonicTime> Session::next_deadline() const {
  const DoorSettings& settings = worker_.settings();
  std::optional<MonotonicTime> next;
  const auto consider = [&next](MonotonicTime deadline) {
    if (!next || deadline < *next) next = deadline;
  };
  if (lease_.is_waiting()) consider(lease_.waiting_since() + settings.queue_timeout);
  if (const auto busy_since = fsm_.busy_since();
      busy_since && statement_timeout_ != Duration::max()) {
    consider(cancel_sent_ ? *cancel_sent_ + settings.cancel_grace
                          : *busy_since + statement_timeout_);
  }
  if (const auto idle_since = fsm_.idle_in_transaction_since())
    consider(*idle_since + settings.idle_in_transaction_timeout);
  if (const auto begun = fsm_.in_transaction_since();
      begun && transaction_limit() != Duration::max()) {
    consider(*begun + transaction_limit());
  }
  if (cancel_wanted_ && lease_.connection() && may_cancel()) consider(next_cancel_);
  if (finishing_since_) consider(*finishing_since_ + settings.linger_timeout);
  return next;
}

// Most deadlines never come: a timer that is armed for an earlier one is left as it is, and looks
// again when it fires.
void Session::arm_timer() {
  if (fsm_.is_finished() && !finishing_since_) finishing_since_ = worker_.loop().now();
  const auto deadline = next_deadline();
  if (!deadline || (timer_.armed() && timer_deadline_ <= *deadline)) return;
  timer_deadline_ = *deadline;
  timer_.arm(*deadline);
}

}  // namespace partywall::sql
