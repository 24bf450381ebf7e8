#include "sql/pool/cell_pool.h"

#include <algorithm>

#include "base/log.h"
#include "sql/door_errors.h"
#include "sql/register_token.h"

namespace partywall::sql {

using Action = PoolPlan::Action;
using Cleanliness = PoolPlan::Cleanliness;

void ServerLease::release() {
  if (!pool_) return;
  if (connection_) {
    pool_->give_back(*this);
  } else {
    pool_->leave(*this);
  }
}

CellPool::CellPool(PoolContext& context, const Cell& cell, std::vector<uint32_t> slots)
    : context_(context),
      name_(cell.name),
      backend_(cell.sql),
      kind_(cell.kind),
      slot_numbers_(std::move(slots)),
      plan_(static_cast<uint32_t>(slot_numbers_.size()), context.settings.limits),
      connections_(slot_numbers_.size()),
      reserved_(slot_numbers_.size()),
      last_tenants_(slot_numbers_.size()),
      repaired_at_(slot_numbers_.size(), MonotonicTime::min()),
      left_overs_(slot_numbers_.size()) {}

CellPool::~CellPool() = default;

void CellPool::request(ServerLease& lease, const Request& request) {
  lease.tenant = request.tenant;
  lease.number = request.number;
  lease.weight = request.weight;
  lease.waiting_since_ = context_.loop.now();
  lease.pool_ = this;
  lease.is_asking_ = true;
  lease.limit_ = {.number = request.number,
                  .id = request.tenant,
                  .kind = LimitKind::kSqlConnections,
                  .slots = request.max_connections};
  if (!is_paused_ && plan_.waiting() == 0 && plan_.idle_count() > 0 && may_serve(lease.limit_)) {
    take(plan_.take_idle(lease));
  } else {
    enqueue(lease);
  }
  run_steps();
  lease.is_asking_ = false;
  if (lease.is_waiting()) {
    ++counters_.waits;
    context_.on_waiting();
  }
}

void CellPool::leave(ServerLease& lease) {
  plan_.leave(lease.ticket_);
  std::ranges::replace(reserved_, &lease, nullptr);
  lease.units_.release();
  lease.pool_ = nullptr;
}

// In a shared cell some connections are left for the others, whatever a tenant's tier allows: a
// large tenant's transactions may last long, and its neighbours would wait for one of them to end.
uint32_t CellPool::most_of_one_tenant() const {
  const uint32_t all = plan_.count();
  if (kind_ == CellKind::kDedicated || all < 2) return all;
  return all - std::max(1U, all / 4);
}

// The nil tenant's limit is 0: none.
bool CellPool::may_serve(const LimitAsk& limit) {
  acquired_.release();
  if (limit.slots == 0) return true;
  auto of_pool = held_[limit.number].try_acquire(most_of_one_tenant());
  if (!of_pool) return false;
  LimitDesk::Acquired of_tenant = context_.limits.acquire(limit, context_.loop.now());
  if (of_tenant.pending || of_tenant.may_come) wait_for_limit(limit);
  if (!of_tenant.units) return false;
  acquired_ = {.of_tenant = std::move(*of_tenant.units), .of_pool = std::move(*of_pool)};
  return true;
}

void CellPool::wait_for_limit(const LimitAsk& limit) {
  const auto [wait, added] = limit_waits_.try_emplace(limit.number, *this);
  context_.limits.wait(limit, wait->second);
}

void CellPool::run_steps() {
  if (std::exchange(is_running_steps_, true)) return;  // the loop below sees what has changed
  const MonotonicTime now = context_.loop.now();
  while (!is_closed_ && !is_paused_) {
    const PoolPlan::Step step =
        plan_.next(now, [this](TenantNumber number) { return may_serve(limits_[number]); });
    if (step.action == Action::kNothing) break;
    take(step);
  }
  is_running_steps_ = false;
  if (const auto next = plan_.next_connect();
      next && *next > now && !is_waiting_to_connect_ && !is_closed_ && !is_paused_) {
    is_waiting_to_connect_ = true;
    spawn(wait_to_connect(*next));
  }
}

void CellPool::take(const PoolPlan::Step& step) {
  auto* lease = static_cast<ServerLease*>(step.waiter);
  if (lease) lease->units_ = std::move(acquired_);
  switch (step.action) {
    case Action::kGrant:
      grant(step.slot, *lease);
      break;
    case Action::kReset:
      reserved_[step.slot] = lease;
      spawn(reset(step.slot, connections_[step.slot]));
      break;
    case Action::kConnect:
      spawn(connect(step.slot));
      break;
    case Action::kNothing:
      break;
  }
}

void CellPool::grant(PoolPlan::Slot slot, ServerLease& lease) {
  const std::shared_ptr<ServerConnection> connection = connections_[slot];
  if (!is_still_there(*connection)) {
    drop(slot);
    lease.refusal_.reset();
    enqueue(lease);
    return;
  }
  ++counters_.grants;
  last_tenants_[slot] = lease.tenant;
  if (connection->fsm.tenancy().state() == TenancyState::kClean) {
    if (lease.tenant == TenantId()) {
      connection->fsm.use_without_tenant();
    } else {
      const WallTime expires = context_.loop.time().wall() +
                               std::chrono::duration_cast<milliseconds>(kRegisterTokenLifetime);
      const RegisterTokenClaims claims{.tenant = lease.tenant,
                                       .expires_at = expires,
                                       .backend_pid = connection->fsm.info().key.pid};
      connection->fsm.send_enter(
          connection->out, lease.tenant,
          make_register_token(claims, backend_.register_key_id, backend_.register_key));
      ++counters_.enters;
    }
  }
  lease.connection_ = connection;
  if (!lease.is_asking_) lease.wake_.set();
}

// Also again, when the connection that it was to have has failed: the units of that one would keep
// it from the next.
void CellPool::enqueue(ServerLease& lease) {
  lease.units_.release();
  limits_[lease.number] = lease.limit_;
  const auto ticket = plan_.enqueue(lease);
  if (ticket) {
    lease.ticket_ = *ticket;
  } else {
    refuse(lease, errors::queue_full());
  }
}

void CellPool::refuse(ServerLease& lease, const SqlError& error) {
  lease.units_.release();
  lease.pool_ = nullptr;
  lease.refusal_ = error;
  if (!lease.is_asking_) lease.wake_.set();
}

void CellPool::refuse_all(const SqlError& error) {
  while (auto* waiter = plan_.pop_any()) refuse(static_cast<ServerLease&>(*waiter), error);
}

void CellPool::give_back(ServerLease& lease) {
  const std::shared_ptr<ServerConnection> connection = std::exchange(lease.connection_, nullptr);
  lease.pool_ = nullptr;
  put_away(connection);
  LeftOver& left_over = left_overs_[connection->slot];
  if (left_over.pid == connection->fsm.info().key.pid) {
    left_over.units = std::move(lease.units_);
  } else {
    lease.units_.release();
    context_.on_units_released();
  }
  run_steps();
}

// Nobody has it now. A connection whose cancel is still on its way stays busy until that has ended.
void CellPool::put_away(const std::shared_ptr<ServerConnection>& connection) {
  const PoolPlan::Slot slot = connection->slot;
  if (connections_[slot] != connection) return;  // of before update()
  connection->stream->disarm();
  ServerFsm& fsm = connection->fsm;
  if (connection->cancels_under_way > 0 && connection->is_usable() && fsm.is_quiet()) {
    connection->is_parked = true;
    return;
  }
  if (!connection->is_usable() || !fsm.is_quiet() || !connection->carry.empty() ||
      !connection->out.empty() || is_closed_ || is_paused_ || connection->is_retired) {
    drop(slot);
    return;
  }
  const MonotonicTime now = context_.loop.now();
  if (fsm.tenancy().state() == TenancyState::kClean) {
    plan_.idle(slot, Cleanliness::kClean, TenantId(), now);
  } else {
    plan_.idle(slot, fsm.is_free() ? Cleanliness::kBound : Cleanliness::kSoiled,
               fsm.tenancy().tenant(), now);
  }
}

void CellPool::drop(PoolPlan::Slot slot) {
  const ServerFsm& fsm = connections_[slot]->fsm;
  if (!fsm.is_quiet())
    left_overs_[slot] = {.pid = fsm.info().key.pid, .since = context_.loop.now()};
  connections_[slot]->is_doomed = true;
  connections_[slot]->stream->close();
  connections_[slot] = nullptr;
  plan_.closed(slot, context_.loop.now());
}

// An idle server says nothing but that a setting has changed; or that it ends.
bool CellPool::is_still_there(ServerConnection& connection) {
  if (context_.loop.now() - plan_.idle_since(connection.slot) < context_.settings.probe_after)
    return true;
  while (true) {
    const net::IoResult result = connection.stream->read(context_.loop.scratch());
    if (result.would_block()) return true;
    if (!result.ok()) return false;
    std::string_view bytes(context_.loop.scratch().data(), result.bytes);
    while (!bytes.empty()) {
      const auto event = connection.fsm.next(bytes);
      if (event.kind != ServerFsm::EventKind::kParameterStatus) return false;
    }
  }
}

void CellPool::tick() {
  const MonotonicTime now = context_.loop.now();
  for (PoolPlan::Slot slot = 0; slot < plan_.count(); ++slot) {
    if (!plan_.is_idle(slot)) continue;
    const bool is_old = now - plan_.idle_since(slot) > context_.settings.idle_lifetime;
    if (is_old || !is_still_there(*connections_[slot])) drop(slot);
  }
  if (const auto spare = plan_.clean_spare(now, context_.settings.clean_after)) {
    spawn(reset(*spare, connections_[*spare]));
  }
  look_after_left_overs();
  run_steps();
}

void CellPool::drop_idle() {
  for (PoolPlan::Slot slot = 0; slot < plan_.count(); ++slot) {
    if (plan_.is_idle(slot)) drop(slot);
  }
}

void CellPool::close() {
  is_closed_ = true;
  drop_idle();
  refuse_all(errors::shutting_down());
}

void CellPool::pause() {
  is_paused_ = true;
  drop_idle();
}

void CellPool::resume() {
  is_paused_ = false;
  run_steps();
}

void CellPool::reconnect() {
  for (const auto& connection : connections_) {
    if (connection) connection->is_retired = true;
  }
  drop_idle();
  run_steps();
}

std::vector<CellPool::ServerView> CellPool::servers() const {
  std::vector<ServerView> views;
  for (PoolPlan::Slot slot = 0; slot < plan_.count(); ++slot) {
    const auto view = plan_.view(slot);
    if (!view) continue;
    ServerView server{.slot = *view, .role = role_of(slot), .tenant = {}, .pid = {}};
    if (const auto& connection = connections_[slot]) {
      const ServerTenancy& tenancy = connection->fsm.tenancy();
      server.pid = connection->fsm.info().key.pid;
      if (tenancy.tenant() != TenantId() && tenancy.state() != TenancyState::kClean)
        server.tenant = tenancy.tenant();
    }
    views.push_back(std::move(server));
  }
  return views;
}

CellPool::Gauges CellPool::gauges() const {
  return {.open = plan_.open(),
          .idle = plan_.idle_count(),
          .waiting = static_cast<uint32_t>(plan_.waiting()),
          .slots = plan_.count()};
}

void CellPool::want_greeting(net::Event& event) {
  auto link = std::make_unique<net::EventLink>();
  link->arm(event);
  greeting_waiters_.push_back(std::move(link));
  plan_.want_one();
  run_steps();
}

}  // namespace partywall::sql
