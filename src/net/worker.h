#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/time.h"
#include "net/loop.h"

namespace partywall::net {

// One thread with an event loop of its own: `Impl` is in net/worker_impl.h.
class Worker final : public Loop {
 public:
  Worker(unsigned index, const TimeSource& time);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] MonotonicTime now() const override;
  [[nodiscard]] const TimeSource& time() const override { return time_; }
  [[nodiscard]] TimerQueue& timers() override { return timers_; }
  void schedule(std::coroutine_handle<> coroutine) override;
  void schedule_after_others(std::coroutine_handle<> coroutine) override;
  void post(std::move_only_function<void()> work) override;
  Task<Result<std::unique_ptr<Stream>>> connect(Endpoint to, Duration timeout) override;
  [[nodiscard]] std::span<char> scratch() override { return scratch_; }

  [[nodiscard]] unsigned index() const { return index_; }

  // Runs until stop(). Called once, on the thread that is to be the loop's.
  void run();
  void stop();  // thread-safe

  struct Impl;
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  unsigned index_;
  const TimeSource& time_;
  TimerQueue timers_;
  std::vector<char> scratch_;
  std::unique_ptr<Impl> impl_;
};

// The workers of a process and their threads.
class WorkerGroup {
 public:
  WorkerGroup(unsigned count, const TimeSource& time);
  ~WorkerGroup();  // stops and joins
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;

  [[nodiscard]] size_t size() const { return workers_.size(); }
  [[nodiscard]] Worker& operator[](size_t index) { return *workers_[index]; }

  // Runs `work` on each worker's thread and returns when all have done it. Not from a worker.
  void run_on_each(const std::function<void(Worker&)>& work);
  // Runs a coroutine on one worker and returns when it has ended. Not from a worker.
  void run_until_done(Worker& worker, std::function<Task<>()> start);

 private:
  struct Threads;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Threads> threads_;
};

}  // namespace partywall::net
