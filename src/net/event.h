#pragma once

#include <coroutine>

namespace partywall::net {

class Loop;

// What one coroutine waits for when it waits for several things at once: each source (a stream that
// becomes ready, a timer, a granted connection, a request to stop) sets the event; the coroutine
// wakes, looks at all of them, and waits again. It resets itself. One waiter at most.
//
//   while (true) {
//     …do what can be done…
//     client.arm_read(wake);
//     server.arm_read(wake);
//     co_await wake.wait();
//   }
//
// The event must outlive whatever may still set it: declare it before the streams and timers.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Wakes the waiter later in this turn of the loop, or the next one to come at once.
  void set();

  struct Awaiter {
    Event& event;
    [[nodiscard]] bool await_ready() const noexcept { return event.set_; }
    void await_suspend(std::coroutine_handle<> waiter) const noexcept { event.waiter_ = waiter; }
    void await_resume() const noexcept { event.set_ = false; }
  };
  [[nodiscard]] Awaiter wait() { return {*this}; }

 private:
  Loop& loop_;
  std::coroutine_handle<> waiter_ = nullptr;
  bool set_ = false;
};

}  // namespace partywall::net
