#pragma once

#include <atomic>
#include <coroutine>
#include <functional>
#include <mutex>
#include <vector>

#include "net/reactor.h"
#include "net/worker.h"

namespace partywall::net {

// The loop of a worker. A round: wait, tell the watches what is ready, fire the timers that are
// due, run what was posted, and then those who wanted to come after all the others. Each of these
// is a *turn*: it does its work, then resumes the coroutines that this made ready.
struct Worker::Impl {
  explicit Impl(Worker& owner);

  void run();
  void stop() { stopped_ = true; }  // on the loop's thread
  void post(std::move_only_function<void()> work);
  void arm_timer(MonotonicTime due) { timer_due_ = due; }
  void schedule(std::coroutine_handle<> coroutine) { ready_.push_back(coroutine); }
  void schedule_after_others(std::coroutine_handle<> coroutine) {
    ready_after_others_.push_back(coroutine);
  }

  // on_ready(0), once, when the time has come: for the few watches that need a time at all, and
  // have no coroutine that could wait for it.
  void call_later(DescriptorWatch& watch, MonotonicTime when) { later_.push_back({when, &watch}); }
  void forget_later(DescriptorWatch& watch);

  Reactor reactor;

 private:
  struct Later {
    MonotonicTime when;
    DescriptorWatch* watch = nullptr;
  };

  [[nodiscard]] Duration longest_wait() const;
  void look_at_timers();
  void look_at_later();
  void run_posted();
  void run_ready();

  Worker& worker_;
  bool stopped_ = false;
  MonotonicTime timer_due_ = MonotonicTime::max();
  std::vector<Later> later_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> ready_after_others_;
  std::vector<std::coroutine_handle<>> running_;

  std::mutex posted_mutex_;
  std::vector<std::move_only_function<void()>> posted_;
  std::atomic<bool> has_posted_{false};
};

}  // namespace partywall::net
