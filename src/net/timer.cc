#include "net/timer.h"

#include <algorithm>
#include <utility>

#include "net/event.h"

namespace partywall::net {

void Timer::arm(MonotonicTime deadline) {
  disarm();
  deadline_ = deadline;
  queue_.link(*this);
}

void Timer::disarm() {
  if (armed()) queue_.unlink(*this);
  fired_ = false;
}

void TimerQueue::link(Timer& timer) {
  // Rounded up, so that a slot that has been reached holds only deadlines that have passed.
  const int64_t tick = std::max(tick_of(timer.deadline_ + kTick - Duration(1)), current_tick_);
  timer.slot_ = static_cast<uint32_t>(tick % kSlots);
  Timer*& head = slots_[timer.slot_];
  timer.previous_ = nullptr;
  timer.next_ = std::exchange(head, &timer);
  if (timer.next_) timer.next_->previous_ = &timer;
  ++armed_;
  const MonotonicTime due(kTick * tick);
  if (due < planned_) {
    planned_ = due;
    if (earlier_) earlier_(due);
  }
}

void TimerQueue::unlink(Timer& timer) {
  (timer.previous_ ? timer.previous_->next_ : slots_[timer.slot_]) = timer.next_;
  if (timer.next_) timer.next_->previous_ = timer.previous_;
  timer.previous_ = timer.next_ = nullptr;
  timer.slot_ = Timer::kUnlinked;
  --armed_;
}

std::optional<MonotonicTime> TimerQueue::advance(MonotonicTime now) {
  const int64_t now_tick = tick_of(now);
  // After a long pause one round over all slots sees every timer.
  const int64_t first = std::max(current_tick_, now_tick - int64_t{kSlots} + 1);
  for (int64_t tick = first; tick <= now_tick; ++tick) {
    for (Timer* timer = slots_[static_cast<size_t>(tick % kSlots)]; timer;) {
      Timer* const next = timer->next_;
      if (timer->deadline_ <= now) {
        unlink(*timer);
        timer->fired_ = true;
        timer->event_.set();  // runs nobody now: the event only schedules its waiter
      }
      timer = next;
    }
  }
  current_tick_ = std::max(current_tick_, now_tick + 1);
  const auto wanted = next();
  planned_ = wanted.value_or(MonotonicTime::max());
  return wanted;
}

std::optional<MonotonicTime> TimerQueue::next() const {
  if (empty()) return std::nullopt;
  // A slot may hold only timers of later rounds; advancing then fires nothing, which is harmless.
  for (int64_t tick = current_tick_; tick < current_tick_ + int64_t{kSlots}; ++tick) {
    if (slots_[static_cast<size_t>(tick % kSlots)]) return MonotonicTime(kTick * tick);
  }
  return std::nullopt;
}

}  // namespace partywall::net
