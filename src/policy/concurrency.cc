#include "policy/concurrency.h"

namespace partywall {

std::optional<ConcurrencyUnits> ConcurrencyGate::try_acquire(uint32_t limit) {
  uint32_t used = in_use_.load(std::memory_order_relaxed);
  while (used < limit) {
    if (in_use_.compare_exchange_weak(used, used + 1, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      return ConcurrencyUnits(this);
    }
  }
  return std::nullopt;
}

void ConcurrencyUnits::release() {
  if (ConcurrencyGate* gate = std::exchange(gate_, nullptr)) {
    gate->in_use_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace partywall
