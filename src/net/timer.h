#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/time.h"

namespace partywall::net {

class Event;
class TimerQueue;

// A deadline that sets an event when it has passed. Arming and disarming cost a few nanoseconds:
// most timers never fire. Destroying it disarms it.
class Timer {
 public:
  Timer(TimerQueue& queue, Event& event) : queue_(queue), event_(event) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { disarm(); }

  // Replaces the deadline it had. Fires up to TimerQueue::kTick late, never early.
  void arm(MonotonicTime deadline);
  void disarm();
  [[nodiscard]] bool armed() const { return slot_ != kUnlinked; }
  // True from the moment it fired until it is armed or disarmed again.
  [[nodiscard]] bool fired() const { return fired_; }

 private:
  friend class TimerQueue;
  static constexpr uint32_t kUnlinked = UINT32_MAX;

  TimerQueue& queue_;
  Event& event_;
  MonotonicTime deadline_{};
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  uint32_t slot_ = kUnlinked;
  bool fired_ = false;
};

// A hashed timing wheel (Varghese and Lauck 1987, scheme 6): constant-time arm and disarm. The loop
// tells it the time.
class TimerQueue {
 public:
  static constexpr Duration kTick = milliseconds(4);

  // Fires what is due; returns next().
  std::optional<MonotonicTime> advance(MonotonicTime now);
  // When advance() is wanted next: not much later than the earliest deadline; nothing armed: none.
  [[nodiscard]] std::optional<MonotonicTime> next() const;
  // Called when a deadline was armed that comes before what next() said last.
  void on_earlier(std::function<void(MonotonicTime)> hook) { earlier_ = std::move(hook); }
  [[nodiscard]] bool empty() const { return armed_ == 0; }

 private:
  friend class Timer;
  static constexpr uint32_t kSlots = 1024;

  void link(Timer& timer);
  void unlink(Timer& timer);
  static int64_t tick_of(MonotonicTime time) { return time.time_since_epoch() / kTick; }

  std::array<Timer*, kSlots> slots_{};
  std::function<void(MonotonicTime)> earlier_;
  MonotonicTime planned_ = MonotonicTime::max();  // what the owner of the queue waits for
  int64_t current_tick_ = 0;                      // all earlier ticks have been handled
  size_t armed_ = 0;
};

}  // namespace partywall::net
