#include "policy/tenant_states.h"

#include <stdexcept>

namespace partywall {

TenantStates::TenantStates() = default;

TenantStates::~TenantStates() {
  for (std::atomic<Chunk*>& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
}

TenantState& TenantStates::of(TenantNumber number) {
  const uint32_t index = number.value();
  if (index >= kMaxTenants) {
    throw std::length_error("more tenants than a process can hold: tenant number is out of range");
  }
  std::atomic<Chunk*>& slot = chunks_[index / kChunkSize];
  Chunk* chunk = slot.load(std::memory_order_acquire);
  if (chunk == nullptr) chunk = &grow(slot);
  return (*chunk)[index % kChunkSize];
}

TenantStates::Chunk& TenantStates::grow(std::atomic<Chunk*>& slot) {
  const std::lock_guard lock(grow_mutex_);
  if (slot.load(std::memory_order_relaxed) == nullptr) {
    slot.store(new Chunk(), std::memory_order_release);
  }
  return *slot.load(std::memory_order_relaxed);
}

}  // namespace partywall
