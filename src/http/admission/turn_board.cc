#include "http/admission/turn_board.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace partywall::http {

TurnBoard::WorkerNumber TurnBoard::join(Wake wake) {
  const std::lock_guard lock(mutex_);
  workers_.push_back(std::move(wake));
  return static_cast<WorkerNumber>(workers_.size() - 1);
}

void TurnBoard::set(WorkerNumber worker, TenantNumber tenant, MonotonicTime since) {
  const std::lock_guard lock(mutex_);
  Places& places = places_[tenant];
  const auto known = std::ranges::find(places, worker, &Place::worker);
  if (known != places.end()) {
    known->since = since;
    return;
  }
  places.push_back({worker, since});
  // Who gives a unit back looks here afterwards; who waits looks for a unit afterwards. One of the
  // two sees the other.
  lines_.fetch_add(1, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void TurnBoard::clear(WorkerNumber worker, TenantNumber tenant) {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(tenant);
  if (found == places_.end()) return;
  const size_t gone =
      std::erase_if(found->second, [worker](const Place& place) { return place.worker == worker; });
  if (found->second.empty()) places_.erase(found);
  lines_.fetch_sub(gone, std::memory_order_relaxed);
}

const TurnBoard::Place& TurnBoard::first_of(const Places& places) {
  return *std::ranges::min_element(
      places, {}, [](const Place& place) { return std::tuple(place.since, place.worker); });
}

bool TurnBoard::anybody_waits(TenantNumber tenant) const {
  if (lines_.load(std::memory_order_relaxed) == 0) return false;
  const std::lock_guard lock(mutex_);
  return places_.contains(tenant);
}

bool TurnBoard::is_first(WorkerNumber worker, TenantNumber tenant) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(tenant);
  return found != places_.end() && first_of(found->second).worker == worker;
}

void TurnBoard::freed(TenantNumber tenant) const {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (lines_.load(std::memory_order_relaxed) == 0) return;
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(tenant);
  if (found != places_.end()) workers_[first_of(found->second).worker](tenant);
}

}  // namespace partywall::http
