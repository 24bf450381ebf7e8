#include "fleet/simulate/simulated_fleet.h"

#include <algorithm>
#include <cmath>

namespace partywall::fleet {

void SimulatedFleet::start_with(uint32_t count) {
  ready_ += count;
  full_ += count;
}

void SimulatedFleet::launch(uint32_t count, MonotonicTime now) {
  booting_count_ += count;
  const auto spread = static_cast<uint64_t>(model_.boot_spread.count());
  if (spread == 0) {
    booting_.push_back({now + model_.boot, count});
    std::ranges::push_heap(booting_, Later{});
    return;
  }
  for (uint32_t i = 0; i < count; ++i) {
    const auto extra = Duration(static_cast<int64_t>(random_.below(spread + 1)));
    booting_.push_back({now + model_.boot + extra, 1});
    std::ranges::push_heap(booting_, Later{});
  }
}

// What has no requests yet goes first, then what has the fewest: the newest.
void SimulatedFleet::terminate(uint32_t count) {
  while (count > 0 && !booting_.empty()) {
    const auto last = std::ranges::max_element(booting_, {}, &Group::since);
    const uint32_t taken = std::min(count, last->count);
    last->count -= taken;
    count -= taken;
    booting_count_ -= taken;
    if (last->count == 0) {
      *last = booting_.back();
      booting_.pop_back();
      std::ranges::make_heap(booting_, Later{});
    }
  }
  while (count > 0 && !warming_.empty()) {
    const uint32_t taken = std::min(count, warming_.back().count);
    warming_.back().count -= taken;
    count -= taken;
    ready_ -= taken;
    if (warming_.back().count == 0) warming_.pop_back();
  }
  const uint32_t taken = std::min(count, full_);
  full_ -= taken;
  ready_ -= taken;
}

void SimulatedFleet::scale_to(uint32_t count, MonotonicTime now) {
  const uint32_t there = launched();
  if (count > there) launch(count - there, now);
  if (count < there) terminate(there - count);
}

void SimulatedFleet::advance(MonotonicTime now) {
  while (!booting_.empty() && booting_.front().since <= now) {
    std::ranges::pop_heap(booting_, Later{});
    const Group group = booting_.back();
    booting_.pop_back();
    booting_count_ -= group.count;
    ready_ += group.count;
    warming_.push_back(group);
  }
  while (!warming_.empty() && now - warming_.front().since >= model_.slow_start) {
    full_ += warming_.front().count;
    warming_.pop_front();
  }
}

void SimulatedFleet::lose_share(double share) {
  const auto lost = static_cast<uint32_t>(std::ceil(static_cast<double>(ready_) * share));
  const uint32_t of_full = std::min(lost, full_);
  full_ -= of_full;
  ready_ -= of_full;
  uint32_t rest = lost - of_full;
  while (rest > 0 && !warming_.empty()) {
    const uint32_t taken = std::min(rest, warming_.front().count);
    warming_.front().count -= taken;
    ready_ -= taken;
    rest -= taken;
    if (warming_.front().count == 0) warming_.pop_front();
  }
}

MonotonicTime SimulatedFleet::next_ready() const {
  return booting_.empty() ? MonotonicTime::max() : booting_.front().since;
}

double SimulatedFleet::weight(MonotonicTime now) const {
  if (full_ == 0) return ready_;
  double sum = full_;
  for (const Group& group : warming_) {
    const double share = std::chrono::duration<double>(now - group.since) /
                         std::chrono::duration<double>(model_.slow_start);
    sum += group.count * std::clamp(share, model_.slow_start_least, 1.0);
  }
  return sum;
}

}  // namespace partywall::fleet
