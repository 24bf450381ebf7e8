#pragma once

#include <coroutine>

namespace partywall::net {

class EventLink;
class Loop;

// What one coroutine waits for when it waits for several things at once: each source (a stream that
// becomes ready, a timer, a granted connection, a request to stop) sets the event; the coroutine
// wakes, looks at all of them, and waits again. It resets itself. One waiter at most. Only for the
// loop's own thread.
//
//   while (true) {
//     …do what can be done…
//     client.arm_read(wake);
//     server.arm_read(wake);
//     co_await wake.wait();
//   }
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  // Wakes the waiter later in this turn of the loop, or the next one to come at once.
  void set();

  enum class Turn { kNext, kAfterOthers };
  struct Awaiter {
    Event& event;
    Turn turn;
    [[nodiscard]] bool await_ready() const noexcept { return event.set_; }
    void await_suspend(std::coroutine_handle<> waiter) const noexcept {
      event.waiter_ = waiter;
      event.turn_ = turn;
    }
    void await_resume() const noexcept { event.set_ = false; }
  };
  [[nodiscard]] Awaiter wait() { return {*this, Turn::kNext}; }
  // The same, but whoever else is ready now has its turn first: for a coroutine that gathers what
  // many others give it, so that it gathers more before it writes.
  [[nodiscard]] Awaiter wait_after_others() { return {*this, Turn::kAfterOthers}; }

 private:
  friend class EventLink;

  Loop& loop_;
  std::coroutine_handle<> waiter_ = nullptr;
  EventLink* first_link_ = nullptr;
  bool set_ = false;
  Turn turn_ = Turn::kNext;
};

// How a source holds on to the event that it is to set once: either of the two may be destroyed
// first.
class EventLink {
 public:
  EventLink() = default;
  EventLink(const EventLink&) = delete;
  EventLink& operator=(const EventLink&) = delete;
  ~EventLink() { disarm(); }

  // Replaces the event it was armed with.
  void arm(Event& event);
  void disarm();
  // Sets the event and lets go of it.
  void fire();
  [[nodiscard]] bool armed() const { return event_ != nullptr; }

 private:
  friend class Event;
  Event* event_ = nullptr;
  EventLink* previous_ = nullptr;
  EventLink* next_ = nullptr;
};

}  // namespace partywall::net
