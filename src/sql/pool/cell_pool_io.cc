// The coroutines of a pool: logging in, resetting, cancelling.
#include "base/log.h"
#include "net/timer.h"
#include "sql/door_errors.h"
#include "sql/pool/cell_pool.h"
#include "sql/server/deliver_cancel.h"
#include "sql/server/open_server.h"

namespace partywall::sql {

using EventKind = ServerFsm::EventKind;

void CellPool::spawn(net::Task<> task) { context_.scope.spawn(run_counted(std::move(task))); }

net::Task<> CellPool::run_counted(net::Task<> task) {
  ++tasks_;
  co_await std::move(task);
  --tasks_;
}

net::Task<> CellPool::connect(PoolPlan::Slot slot) {
  auto connection = co_await log_in(slot);
  const MonotonicTime now = context_.loop.now();
  if (connection) {
    ++counters_.connects;
    greeting_ = (*connection)->fsm.info().reported;
    connections_[slot] = std::move(*connection);
    forget_left_over(slot);  // its role is free again
    plan_.connected(slot, now);
    if (is_closed_ || is_paused_) drop(slot);
  } else if (connection.error().kind == ErrorKind::kLimit && left_overs_[slot].pid != 0) {
    plan_.role_in_use(slot, now);
  } else {
    on_login_failure(slot, connection.error());
    plan_.connect_failed(slot, now);
    if (plan_.is_down()) refuse_all(errors::cannot_connect(name_));
  }
  for (const auto& waiter : std::exchange(greeting_waiters_, {})) waiter->fire();
  run_steps();
}

std::string CellPool::last_tenant(PoolPlan::Slot slot) const {
  const TenantId tenant = last_tenants_[slot];
  return tenant == TenantId() ? "none" : tenant.value().to_string();
}

void CellPool::on_login_failure(PoolPlan::Slot slot, const Error& error) {
  ++counters_.connect_failures;
  log_warning("the sql door cannot log in to PostgreSQL",
              {{"cell", name_},
               {"server", backend_.endpoint.to_string()},
               {"last_tenant", last_tenant(slot)},
               {"reason", error.message}});
  if (error.kind == ErrorKind::kDenied) repair(slot, 0);
}

// A role may change its own password, and tenants' statements run as it: the door must be able to
// put it right by itself, or a tenant could lock it out of one slot after the other.
void CellPool::repair(PoolPlan::Slot slot, uint32_t left_over_pid) {
  const MonotonicTime now = context_.loop.now();
  MonotonicTime& repaired_at = repaired_at_[slot];
  if (backend_.provisioner_role.empty() || repaired_at == MonotonicTime::max() ||
      (repaired_at != MonotonicTime::min() && now - repaired_at < context_.settings.repair_spacing))
    return;
  repaired_at = MonotonicTime::max();
  ++(left_over_pid != 0 ? counters_.left_over_sessions : counters_.changed_slots);
  ++tasks_;  // the pool must outlive it
  context_.repair_slot(*this, {.backend = {},
                               .slot = slot_numbers_[slot],
                               .left_over_pid = left_over_pid,
                               .done = [this, slot, left_over_pid](const Result<bool>& outcome) {
                                 --tasks_;
                                 on_repaired(slot, left_over_pid, outcome);
                               }});
}

// PostgreSQL ends a statement whose client has gone within client_connection_check_interval. But
// that is a setting which a tenant may change, and a statement may catch every cancel: it would
// keep its slot role, and use the processor, for ever.
void CellPool::look_after_left_overs() {
  const MonotonicTime now = context_.loop.now();
  for (PoolPlan::Slot slot = 0; slot < plan_.count(); ++slot) {
    const LeftOver& left_over = left_overs_[slot];
    if (left_over.pid == 0 || now - left_over.since < context_.settings.left_over_after) continue;
    if (backend_.provisioner_role.empty()) {
      stop_counting_left_over(slot);  // nobody can say whether it still runs
    } else {
      repair(slot, left_over.pid);
    }
  }
}

void CellPool::stop_counting_left_over(PoolPlan::Slot slot) {
  LeaseUnits units = std::move(left_overs_[slot].units);
  if (!units.of_pool.held()) return;
  units.release();
  context_.on_units_released();
}

void CellPool::forget_left_over(PoolPlan::Slot slot) {
  stop_counting_left_over(slot);
  left_overs_[slot] = {};
}

void CellPool::on_repaired(PoolPlan::Slot slot, uint32_t left_over_pid,
                           const Result<bool>& outcome) {
  const MonotonicTime now = context_.loop.now();
  repaired_at_[slot] = now;
  if (!outcome) {
    log_error(left_over_pid != 0 ? "a session that was closed may run on and could not be ended"
                                 : "a slot role was changed and could not be put right",
              {{"cell", name_},
               {"slot", slot_numbers_[slot]},
               {"last_tenant", last_tenant(slot)},
               {"reason", outcome.error().message}});
    // Counted for ever it would lock its tenant out.
    if (left_over_pid != 0 && left_overs_[slot].pid == left_over_pid) stop_counting_left_over(slot);
    run_steps();
    return;
  }
  if (left_over_pid != 0) {
    if (left_overs_[slot].pid == left_over_pid) {
      if (*outcome) context_.on_ran_on(last_tenants_[slot], now - left_overs_[slot].since);
      forget_left_over(slot);
    }
    plan_.repaired(slot, now);
    run_steps();
    return;
  }
  ++counters_.repaired_slots;
  log_warning("a slot role was changed by a tenant's statement and has been put right",
              {{"cell", name_}, {"slot", slot_numbers_[slot]}, {"last_tenant", last_tenant(slot)}});
  plan_.repaired(slot, now);
  run_steps();
}

std::string CellPool::role_of(PoolPlan::Slot slot) const {
  return fmt::format("{}{:03}", backend_.slots.prefix, slot_numbers_[slot]);
}

net::Task<Result<std::shared_ptr<ServerConnection>>> CellPool::log_in(PoolPlan::Slot slot) {
  net::Loop& loop = context_.loop;
  const MonotonicTime deadline = loop.now() + context_.settings.connect_timeout;
  ServerLogin login{.purpose = ServerLogin::Purpose::kSlot,
                    .role = role_of(slot),
                    .database = backend_.database,
                    .password = backend_.slots.password,
                    .parameters = slot_startup_parameters()};
  auto opened = co_await open_server(loop, backend_.endpoint, std::move(login), keys_,
                                     context_.random, deadline);
  if (!opened) co_return std::unexpected(opened.error());
  if (opened->keys) keys_ = std::move(opened->keys);
  auto connection = std::make_shared<ServerConnection>(
      std::move(opened->stream), std::move(opened->info), context_.random,
      context_.settings.max_statements_per_connection, backend_.endpoint);
  connection->slot = slot;
  co_return connection;
}

net::Task<> CellPool::reset(PoolPlan::Slot slot, std::shared_ptr<ServerConnection> connection) {
  const bool is_clean = co_await try_reset(*connection);
  ServerLease* lease = std::exchange(reserved_[slot], nullptr);
  if (!is_clean) {
    ++counters_.reset_failures;
    log_warning("a server connection could not be reset and was closed",
                {{"cell", name_}, {"slot", slot_numbers_[slot]}});
    drop(slot);
    if (lease) enqueue(*lease);
  } else {
    ++counters_.resets;
    if (lease) {
      grant(slot, *lease);
    } else {
      put_away(connection);
    }
  }
  run_steps();
}

net::Task<bool> CellPool::try_reset(ServerConnection& connection) {
  net::Loop& loop = context_.loop;
  const MonotonicTime deadline = loop.now() + context_.settings.reset_timeout;
  connection.fsm.send_reset(connection.out);
  while (true) {
    while (!connection.out.empty()) {
      const net::IoResult written = connection.stream->write(connection.out.front());
      if (!written.ok())
        co_return false;  // it is a few bytes: what does not go at once is not well
      connection.out.sent(written.bytes);
    }
    const Duration left = deadline - loop.now();
    if (left <= Duration(0)) co_return false;
    const std::span<char> space = connection.carry.prepare(4096);
    const auto read = co_await net::read_some(loop, *connection.stream, space, left);
    if (!read) co_return false;
    connection.carry.commit(*read);
    std::string_view bytes = connection.carry.view();
    while (true) {
      const auto event = connection.fsm.next(bytes);
      if (event.kind == EventKind::kNeedMore) break;
      if (event.kind == EventKind::kOwnRequestFailed || event.kind == EventKind::kBroken ||
          event.kind == EventKind::kError)
        co_return false;
    }
    connection.carry.consume(connection.carry.size() - bytes.size());
    if (connection.fsm.tenancy().state() == TenancyState::kClean)
      co_return connection.carry.empty();
  }
}

void CellPool::cancel(std::shared_ptr<ServerConnection> connection) {
  ++connection->cancels_under_way;
  spawn(run_cancel(std::move(connection)));
}

net::Task<> CellPool::run_cancel(std::shared_ptr<ServerConnection> connection) {
  const bool delivered =
      co_await deliver_cancel(context_.loop, connection->endpoint, connection->fsm.info().key,
                              context_.settings.connect_timeout);
  --connection->cancels_under_way;
  if (!delivered) connection->is_doomed = true;  // it may arrive at any time
  if (connection->cancels_under_way > 0) co_return;
  connection->cancels_ended.fire();
  if (std::exchange(connection->is_parked, false)) {
    put_away(connection);
    run_steps();
  }
}

net::Task<> CellPool::wait_to_connect(MonotonicTime until) {
  net::Event event(context_.loop);
  net::Drain::Watch watch(context_.drain, event);
  net::Timer timer(context_.loop.timers(), event);
  timer.arm(until);
  while (!timer.fired() && !context_.drain.must_close()) co_await event.wait();
  is_waiting_to_connect_ = false;
  run_steps();
}

}  // namespace partywall::sql
