#include "net/event.h"

#include <utility>

#include "net/loop.h"

namespace partywall::net {

Event::~Event() {
  while (first_link_) first_link_->disarm();
}

void Event::set() {
  set_ = true;
  if (!waiter_) return;
  const std::coroutine_handle<> waiter = std::exchange(waiter_, nullptr);
  if (turn_ == Turn::kNext) {
    loop_.schedule(waiter);
  } else {
    loop_.schedule_after_others(waiter);
  }
}

void EventLink::arm(Event& event) {
  if (event_ == &event) return;
  disarm();
  event_ = &event;
  next_ = std::exchange(event.first_link_, this);
  if (next_) next_->previous_ = this;
}

void EventLink::disarm() {
  if (!event_) return;
  (previous_ ? previous_->next_ : event_->first_link_) = next_;
  if (next_) next_->previous_ = previous_;
  previous_ = next_ = nullptr;
  event_ = nullptr;
}

void EventLink::fire() {
  if (!event_) return;
  Event& event = *event_;
  disarm();
  event.set();
}

}  // namespace partywall::net
