#include "net/scope.h"

#include <cassert>
#include <coroutine>
#include <exception>

namespace partywall::net {

// Starts at once and frees itself at the end; it owns the task it runs.
struct TaskScope::Runner {
  struct promise_type {
    Runner get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

TaskScope::~TaskScope() { assert(running_ == 0 && "join() the scope before destroying it"); }

TaskScope::Runner TaskScope::run(Task<> task) {
  co_await std::move(task);
  --running_;
  if (running_ == 0) idle_.set();
}

void TaskScope::spawn(Task<> task) {
  ++running_;
  run(std::move(task));
}

Task<> TaskScope::join() {
  while (running_ > 0) co_await idle_.wait();
}

}  // namespace partywall::net
