#pragma once

#include <cstddef>

#include "net/event.h"
#include "net/task.h"

namespace partywall::net {

// Owns coroutines that run beside each other. Nothing is detached: whoever opens a scope must
// co_await join() before destroying it. A coroutine that ends with an exception is a broken
// invariant and ends the process.
class TaskScope {
 public:
  explicit TaskScope(Loop& loop) : idle_(loop) {}
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope();

  // Runs the task until it first waits, then returns.
  void spawn(Task<> task);
  [[nodiscard]] size_t running() const { return running_; }
  // Ends when no task runs any more. Does not stop them: that is the caller's part.
  Task<> join();

 private:
  struct Runner;
  Runner run(Task<> task);

  Event idle_;
  size_t running_ = 0;
};

}  // namespace partywall::net
