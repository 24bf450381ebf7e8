#include "http/admission/pool_slots.h"

namespace partywall::http {

void PoolSlot::release() {
  if (const auto slots = std::exchange(slots_, nullptr)) slots->give_back();
}

PoolSlot PoolSlots::take() {
  ++in_use_;
  return PoolSlot(shared_from_this());
}

void PoolSlots::give_back() {
  --in_use_;
  serve();
}

void PoolSlots::serve() {
  while (in_use_ < capacity_) {
    const auto place = queue_.pop();
    if (!place) return;
    (*place)->slot_ = take();
    (*place)->wake_.set();
  }
}

void PoolSlots::set_capacity(uint32_t capacity) {
  capacity_ = capacity;
  serve();
}

std::optional<PoolSlot> PoolSlots::try_take() {
  if (in_use_ >= capacity_ || !queue_.empty()) return std::nullopt;
  return take();
}

bool PoolSlots::join(Place& place, TenantNumber tenant, uint32_t weight) {
  const auto ticket = queue_.push(tenant, weight, &place);
  if (!ticket) return false;
  place.ticket_ = *ticket;
  serve();
  return true;
}

}  // namespace partywall::http
