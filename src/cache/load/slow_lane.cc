#include "cache/load/slow_lane.h"

#include <cassert>
#include <utility>

namespace partywall::cache {

SlowLane::Entry SlowLane::enter(const std::shared_ptr<SlowLane>& wanted, const Asked& asked,
                                Place& place) {
  if (place.ready_) return Entry::kReady;
  if (place.waits_) return Entry::kWaits;
  assert(place.used_ == 0 || place.tenant_ == asked.tenant);
  if (place.used_ == 0) place.lane_ = wanted;
  place.tenant_ = asked.tenant;
  SlowLane* const lane = place.lane_.get();
  State& state = lane->tenants_[asked.tenant];
  state.most = asked.heavy ? 1 : lane->limits_.at_once_of_tenant;
  // Nobody passes those who wait already.
  if (lane->queue_.waiting(asked.tenant) == 0 && lane->has_room(asked.tenant)) {
    lane->take(place);
    return Entry::kReady;
  }
  const auto ticket = lane->queue_.push(asked.tenant, asked.weight, &place);
  if (!ticket) {
    lane->give_back(asked.tenant, 0);
    return Entry::kFull;
  }
  place.ticket_ = *ticket;
  place.waits_ = true;
  return Entry::kWaits;
}

bool SlowLane::has_room(TenantNumber tenant) const {
  const auto found = tenants_.find(tenant);
  return found != tenants_.end() && found->second.under_way < found->second.most &&
         under_way_ < limits_.at_once;
}

void SlowLane::take(Place& place) {
  ++under_way_;
  ++tenants_.at(place.tenant_).under_way;
  place.ready_ = true;
}

void SlowLane::give_back(TenantNumber tenant, uint32_t count) {
  under_way_ -= count;
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return;
  found->second.under_way -= count;
  let_in();
  if (found->second.under_way == 0 && queue_.waiting(tenant) == 0) tenants_.erase(found);
}

void SlowLane::let_in() {
  while (under_way_ < limits_.at_once) {
    const auto next = queue_.pop([this](TenantNumber tenant) { return has_room(tenant); });
    if (!next) return;
    Place& place = **next;
    place.waits_ = false;
    take(place);
    place.waker_.wake();
  }
}

void SlowLane::Place::cancel() {
  if (std::exchange(waits_, false)) {
    lane_->queue_.remove(ticket_);
    lane_->give_back(tenant_, 0);
  }
  if (std::exchange(ready_, false)) lane_->give_back(tenant_, 1);
}

void SlowLane::Place::answered() {
  if (const uint32_t count = std::exchange(used_, 0)) lane_->give_back(tenant_, count);
}

}  // namespace partywall::cache
