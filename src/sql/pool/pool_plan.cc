#include "sql/pool/pool_plan.h"

#include <algorithm>

#include "base/backoff.h"

namespace partywall::sql {

PoolPlan::PoolPlan(uint32_t slots, PoolLimits limits)
    : limits_(limits), queue_(limits.queue), slots_(slots) {}

PoolPlan::Step PoolPlan::next(MonotonicTime now,
                              const std::function<bool(TenantNumber)>& may_serve) {
  if (const Step step = serve(may_serve); step.action != Action::kNothing) return step;
  for (Slot slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].state != State::kSoiled) continue;
    slots_[slot].state = State::kResetting;
    return {Action::kReset, slot, nullptr};
  }
  return connect(now);
}

PoolPlan::Step PoolPlan::serve(const std::function<bool(TenantNumber)>& may_serve) {
  if (queue_.empty() || idle_count() == 0) return {};
  const auto waiter = queue_.pop(may_serve);
  if (!waiter) return {};
  return take_idle(**waiter);
}

PoolPlan::Step PoolPlan::take_idle(PoolWaiter& waiter) {
  const auto slot = best_for(waiter.tenant);
  if (!slot) return {};
  SlotInfo& info = slots_[*slot];
  info.used = ++uses_;
  if (info.is_clean || info.tenant == waiter.tenant) {
    info.state = State::kBusy;
    return {Action::kGrant, *slot, &waiter};
  }
  // Served at another tenant's cost: one connection more would spare both the change.
  wants_one_more_ = true;
  info.state = State::kResetting;
  return {Action::kReset, *slot, &waiter};
}

std::optional<PoolPlan::Slot> PoolPlan::best_for(TenantId tenant) const {
  // Own before clean before another's; of the own ones the one used last, of the others the first.
  const auto rank = [tenant](const SlotInfo& info) {
    return info.is_clean ? 1 : info.tenant == tenant ? 2 : 0;
  };
  std::optional<Slot> best;
  for (Slot slot = 0; slot < slots_.size(); ++slot) {
    const SlotInfo& info = slots_[slot];
    if (info.state != State::kIdle) continue;
    if (!best || rank(info) > rank(slots_[*best])) {
      best = slot;
    } else if (rank(info) == rank(slots_[*best])) {
      const bool later = info.used > slots_[*best].used;
      if (later == (rank(info) == 2)) best = slot;
    }
  }
  return best;
}

PoolPlan::Step PoolPlan::connect(MonotonicTime now) {
  const bool wanted = wants_one_more_ || (idle_count() == 0 && queue_.size() > connecting_);
  if (!wanted || connecting_ >= limits_.max_connecting || now < no_connect_before_) return {};
  const auto slot = empty_slot(now);
  if (!slot) {
    wants_one_more_ = false;
    return {};
  }
  wants_one_more_ = false;
  slots_[*slot].state = State::kConnecting;
  ++connecting_;
  return {Action::kConnect, *slot, nullptr};
}

// The one that has been empty longest: its role is the least likely to be still in use.
std::optional<PoolPlan::Slot> PoolPlan::empty_slot(MonotonicTime now) const {
  std::optional<Slot> found;
  for (Slot slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].state != State::kEmpty || slots_[slot].since > now) continue;
    if (!found || slots_[slot].since < slots_[*found].since) found = slot;
  }
  return found;
}

std::optional<MonotonicTime> PoolPlan::next_connect() const {
  if (queue_.size() <= connecting_) return std::nullopt;
  std::optional<MonotonicTime> first;
  for (const SlotInfo& info : slots_) {
    if (info.state == State::kEmpty && (!first || info.since < *first)) first = info.since;
  }
  if (!first) return std::nullopt;
  return std::max(*first, no_connect_before_);
}

void PoolPlan::connected(Slot slot, MonotonicTime now) {
  --connecting_;
  failures_ = 0;
  slots_[slot].used = ++uses_;
  idle(slot, Cleanliness::kClean, TenantId(), now);
}

void PoolPlan::connect_failed(Slot slot, MonotonicTime now) {
  --connecting_;
  if (failures_ < UINT32_MAX) ++failures_;
  const Duration wait = backoff_pause(
      {.first = limits_.first_backoff, .longest = limits_.longest_backoff}, failures_);
  slots_[slot] = {.since = now + wait};
  // One bad slot (a role that is still in use) does not keep the others from connecting.
  if (open() == 0) no_connect_before_ = now + wait;
}

void PoolPlan::role_in_use(Slot slot, MonotonicTime now) {
  --connecting_;
  slots_[slot] = {.since = now + limits_.first_backoff};
}

void PoolPlan::repaired(Slot slot, MonotonicTime now) {
  if (slots_[slot].state == State::kEmpty) slots_[slot].since = now;
  no_connect_before_ = std::min(no_connect_before_, now);
}

void PoolPlan::idle(Slot slot, Cleanliness cleanliness, TenantId tenant, MonotonicTime now) {
  SlotInfo& info = slots_[slot];
  info.state = cleanliness == Cleanliness::kSoiled ? State::kSoiled : State::kIdle;
  info.is_clean = cleanliness == Cleanliness::kClean;
  info.tenant = tenant;
  info.since = now;
}

void PoolPlan::closed(Slot slot, MonotonicTime now) {
  slots_[slot] = {.since = now + limits_.slot_rest};
}

std::optional<PoolPlan::Slot> PoolPlan::clean_spare(MonotonicTime now, Duration idle_for) {
  std::optional<Slot> oldest;
  for (Slot slot = 0; slot < slots_.size(); ++slot) {
    const SlotInfo& info = slots_[slot];
    if (info.state != State::kIdle) continue;
    if (info.is_clean) return std::nullopt;
    if (now - info.since >= idle_for && (!oldest || info.used < slots_[*oldest].used))
      oldest = slot;
  }
  if (oldest) slots_[*oldest].state = State::kResetting;
  return oldest;
}

std::optional<PoolPlan::SlotView> PoolPlan::view(Slot slot) const {
  const SlotInfo& info = slots_[slot];
  switch (info.state) {
    case State::kEmpty:
      return std::nullopt;
    case State::kConnecting:
      return SlotView{.state = "connecting", .since = {}};
    case State::kIdle:
      return SlotView{.state = info.is_clean ? "clean" : "idle", .since = info.since};
    case State::kBusy:
      return SlotView{.state = "active", .since = {}};
    case State::kSoiled:
    case State::kResetting:
      return SlotView{.state = "resetting", .since = {}};
  }
  return std::nullopt;
}

uint32_t PoolPlan::open() const {
  return static_cast<uint32_t>(std::ranges::count_if(
      slots_, [](const SlotInfo& info) { return info.state > State::kConnecting; }));
}

uint32_t PoolPlan::idle_count() const {
  return static_cast<uint32_t>(std::ranges::count(slots_, State::kIdle, &SlotInfo::state));
}

PoolWaiter* PoolPlan::pop_any() { return queue_.pop().value_or(nullptr); }

}  // namespace partywall::sql
