#include "cache/load/script_flights.h"

#include <utility>

namespace partywall::cache {

ScriptFlights::Units ScriptFlights::begin(ScriptFlight flight) {
  const std::lock_guard lock(mutex_);
  return {this, entries_.insert(entries_.end(), {.flight = std::move(flight)})};
}

void ScriptFlights::remove(Place place) {
  const std::lock_guard lock(mutex_);
  entries_.erase(place);
}

void ScriptFlights::left_alone(Place place) {
  const std::lock_guard lock(mutex_);
  place->waiter = Waiter::kGone;
  left_alone_.splice(left_alone_.end(), entries_, place);
  if (left_alone_.size() > kMostLeftAlone) left_alone_.pop_front();
}

std::vector<ScriptFlight> ScriptFlights::at(const Endpoint& server, MonotonicTime before) const {
  const std::lock_guard lock(mutex_);
  std::vector<ScriptFlight> found;
  for (const auto* list : {&entries_, &left_alone_}) {
    for (const Entry& entry : *list) {
      if (entry.flight.server == server && entry.flight.since <= before)
        found.push_back(entry.flight);
    }
  }
  return found;
}

void ScriptFlights::server_is_idle(const Endpoint& server) {
  const std::lock_guard lock(mutex_);
  for (auto entry = left_alone_.begin(); entry != left_alone_.end();) {
    const bool here = entry->flight.server == server;
    if (here && entry->waiter == Waiter::kGoneForLonger) {
      entry = left_alone_.erase(entry);
      continue;
    }
    if (here) entry->waiter = Waiter::kGoneForLonger;
    ++entry;
  }
}

}  // namespace partywall::cache
