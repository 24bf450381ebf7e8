#include "policy/limit_desk.h"

#include <cassert>
#include <utility>

namespace partywall {

void LimitWaiter::stop_waiting() {
  if (line_ == nullptr) return;
  std::vector<LimitWaiter*>& line = *std::exchange(line_, nullptr);
  line.back()->place_ = place_;
  std::swap(line[place_], line.back());
  line.pop_back();
  count_->fetch_sub(1, std::memory_order_relaxed);
}

LimitAsk ask_about(const Tenant& tenant, LimitKind kind) {
  LimitAsk ask{.number = tenant.number, .id = tenant.id, .kind = kind};
  switch (kind) {
    case LimitKind::kHttpRate:
      ask.rate = tenant.limits.api_rate;
      break;
    case LimitKind::kCacheRate:
      ask.rate = tenant.limits.cache_rate;
      break;
    case LimitKind::kHttpRequests:
      ask.slots = tenant.limits.max_concurrent_requests;
      break;
    case LimitKind::kSqlConnections:
      ask.slots = tenant.limits.max_db_connections;
      break;
  }
  return ask;
}

LimitDesk::~LimitDesk() {
  for (auto& [key, line] : lines_) {
    while (!line.empty()) line.back()->stop_waiting();
  }
}

RateDecision LimitDesk::admit(const Tenant& tenant, LimitKind kind, MonotonicTime now) {
  assert(is_rate(kind));
  TenantState& state = states_.of(tenant.number);
  const bool http = kind == LimitKind::kHttpRate;
  RateGate& gate = http ? state.http_rate : state.cache_rate;
  const RateLimit& limit = http ? tenant.limits.api_rate : tenant.limits.cache_rate;
  if (shared_ == nullptr) return gate.admit(limit, now);
  const RateGate::Taken taken = gate.take(limit, *shared_, now);
  if (taken.ask) asks_->ask(ask_about(tenant, kind));
  return taken.decision;
}

LimitDesk::Acquired LimitDesk::acquire(const LimitAsk& what, MonotonicTime now) {
  assert(!is_rate(what.kind));
  TenantState& state = states_.of(what.number);
  ConcurrencyGate& gate =
      what.kind == LimitKind::kHttpRequests ? state.http_requests : state.sql_connections;
  if (shared_ == nullptr) return {.units = gate.try_acquire(what.slots)};
  ConcurrencyGate::Taken taken = gate.take(what.slots, *shared_, now);
  if (taken.ask) asks_->ask(what);
  const bool from_store = shared_->source() == SharedLimits::Source::kStore;
  const bool may_come = !taken.units && from_store && gate.in_use() < what.slots;
  return {.units = std::move(taken.units), .pending = taken.pending, .may_come = may_come};
}

LeaseSignals& LimitDesk::signals_of(TenantNumber number, LimitKind kind) {
  TenantState& state = states_.of(number);
  switch (kind) {
    case LimitKind::kHttpRate:
      return state.http_rate.signals;
    case LimitKind::kCacheRate:
      return state.cache_rate.signals;
    case LimitKind::kHttpRequests:
      return state.http_requests.signals;
    case LimitKind::kSqlConnections:
      break;
  }
  return state.sql_connections.signals;
}

void LimitDesk::wait(const LimitAsk& what, LimitWaiter& waiter) {
  if (waiter.is_waiting()) return;
  assert(asks_ != nullptr);
  std::vector<LimitWaiter*>& line = lines_[key(what.number, what.kind)];
  waiter.line_ = &line;
  waiter.place_ = line.size();
  waiter.count_ = &signals_of(what.number, what.kind).waiting;
  waiter.count_->fetch_add(1, std::memory_order_relaxed);
  line.push_back(&waiter);
  if (line.size() > 1) return;  // the answer to the first is the answer to all
  LimitAsk ask = what;
  ask.desk = number_;
  asks_->ask(ask);
}

void LimitDesk::answered(TenantNumber number, LimitKind kind) {
  const auto found = lines_.find(key(number, kind));
  if (found == lines_.end()) return;
  std::vector<LimitWaiter*> line = std::move(found->second);
  lines_.erase(found);
  for (LimitWaiter* waiter : line) {
    waiter->line_ = nullptr;
    waiter->count_->fetch_sub(1, std::memory_order_relaxed);
  }
  for (LimitWaiter* waiter : line) waiter->limit_answered();
}

}  // namespace partywall
