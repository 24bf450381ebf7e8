#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/timer.h"

namespace partywall::net {

// One thread's event loop, as sessions see it: the time, timers, other coroutines, and the way out.
// Worker is the real one, on epoll; SimulatedLoop (tests/) runs the same sessions on a virtual
// clock. Everything here but post() is for the loop's own thread.
class Loop {
 public:
  virtual ~Loop() = default;

  [[nodiscard]] virtual MonotonicTime now() const = 0;
  [[nodiscard]] virtual const TimeSource& time() const = 0;
  [[nodiscard]] virtual TimerQueue& timers() = 0;

  // Resumes the coroutine later in this turn, never from within this call.
  virtual void schedule(std::coroutine_handle<> coroutine) = 0;
  // The same, when every socket that is ready now has had its turn.
  virtual void schedule_after_others(std::coroutine_handle<> coroutine) { schedule(coroutine); }

  // From any thread: runs `work` on the loop's thread.
  virtual void post(std::move_only_function<void()> work) = 0;

  // Opens a connection. The stream is plain; `timeout` covers the whole attempt.
  virtual Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to, Duration timeout) = 0;

  // A read buffer that all sessions of the loop share, 64 KiB: what is in it is gone at the next
  // co_await. It saves a buffer per idle connection.
  [[nodiscard]] virtual std::span<char> scratch() = 0;
};

}  // namespace partywall::net
