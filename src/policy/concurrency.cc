#include "policy/concurrency.h"

#include <algorithm>

namespace partywall {

uint32_t share_of(uint32_t limit, uint32_t nodes) {
  return limit == 0 ? 0 : std::max(limit / nodes, 1U);
}

std::optional<ConcurrencyUnits> ConcurrencyGate::try_acquire(uint32_t limit) {
  uint64_t state = load();
  while (in_use_of(state) < limit) {
    if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return ConcurrencyUnits(this);
    }
  }
  return std::nullopt;
}

void ConcurrencyUnits::release() {
  if (ConcurrencyGate* gate = std::exchange(gate_, nullptr)) {
    gate->state_.fetch_sub(1, std::memory_order_release);
  }
}

uint32_t ConcurrencyGate::allowed(uint64_t state, uint32_t limit, const SharedLimits& shared,
                                  MonotonicTime now) const {
  const bool valid =
      now.time_since_epoch().count() < valid_until_ns_.load(std::memory_order_relaxed);
  if (shared.source() == SharedLimits::Source::kStore)
    return valid ? std::min(slots_of(state), limit) : 0;
  // One at least, because nobody may be shut out.
  if (valid) return std::clamp(slots_of(state), std::min(limit, 1U), limit);
  return share_of(limit, shared.live_nodes());
}

ConcurrencyGate::Taken ConcurrencyGate::take(uint32_t limit, const SharedLimits& shared,
                                             MonotonicTime now) {
  Taken taken;
  uint64_t state = load();
  const bool from_store = shared.source() == SharedLimits::Source::kStore;
  while (in_use_of(state) < allowed(state, limit, shared, now)) {
    if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      continue;
    }
    taken.units = ConcurrencyUnits(this);
    const bool last = in_use_of(state) + 1 >= slots_of(state) && slots_of(state) < limit;
    const bool may_ask = spare_.load(std::memory_order_relaxed) == Spare::kSome &&
                         signals.denied_for(now) <= Duration(0);
    // Without the store the agent only gets to know that the tenant has something under way.
    taken.ask = ((last && may_ask) || !from_store) && signals.ask();
    return taken;
  }
  const bool full = in_use_of(state) >= limit;
  taken.pending = from_store && !full && signals.denied_for(now) <= Duration(0);
  taken.ask = taken.pending && signals.ask();
  return taken;
}

uint32_t ConcurrencyGate::keep(uint32_t most) {
  uint64_t state = load();
  while (slots_of(state) > most) {
    const uint32_t slots = std::min(slots_of(state), std::max(most, in_use_of(state)));
    if (state_.compare_exchange_weak(state, uint64_t{slots} << 32 | in_use_of(state),
                                     std::memory_order_relaxed)) {
      break;
    }
  }
  return in_use();
}

void ConcurrencyGate::lend(uint32_t slots, MonotonicTime valid_until, Spare spare) {
  spare_.store(spare, std::memory_order_relaxed);
  valid_until_ns_.store(valid_until.time_since_epoch().count(), std::memory_order_relaxed);
  uint64_t state = load();
  while (!state_.compare_exchange_weak(state, uint64_t{slots} << 32 | in_use_of(state),
                                       std::memory_order_relaxed)) {
  }
}

}  // namespace partywall
