#include "net/worker.h"

#include <algorithm>
#include <csignal>
#include <future>
#include <thread>
#include <utility>

#include "net/scope.h"
#include "net/socket_stream.h"
#include "net/worker_impl.h"

namespace partywall::net {
namespace {
constexpr size_t kScratchBytes = 64 * 1024;

// Which loop this thread runs.
thread_local const Worker::Impl* current = nullptr;

}  // namespace

Worker::Impl::Impl(Worker& owner) : worker_(owner) {}

void Worker::Impl::run() {
  current = this;
  while (!stopped_) {
    reactor.wait(longest_wait());
    reactor.dispatch();
    run_ready();
    look_at_timers();
    if (!later_.empty()) look_at_later();
    run_posted();
    if (ready_after_others_.empty()) continue;
    ready_.insert(ready_.end(), ready_after_others_.begin(), ready_after_others_.end());
    ready_after_others_.clear();
    run_ready();
  }
  current = nullptr;
}

Duration Worker::Impl::longest_wait() const {
  if (!ready_.empty() || !ready_after_others_.empty() ||
      has_posted_.load(std::memory_order_acquire))
    return Duration(0);
  MonotonicTime first = timer_due_;
  for (const Later& each : later_) first = std::min(first, each.when);
  if (first == MonotonicTime::max()) return Duration::max();
  return std::max(first - worker_.now(), Duration(0));
}

void Worker::Impl::look_at_timers() {
  if (timer_due_ == MonotonicTime::max()) return;
  const MonotonicTime now = worker_.now();
  if (now < timer_due_) return;
  timer_due_ = worker_.timers_.advance(now).value_or(MonotonicTime::max());
  run_ready();
}

void Worker::Impl::look_at_later() {
  const MonotonicTime now = worker_.now();
  std::erase_if(later_, [this, now](const Later& each) {
    const bool is_due = each.when <= now;
    if (is_due) reactor.call_soon(*each.watch, 0);
    return is_due;
  });
}

void Worker::Impl::forget_later(DescriptorWatch& watch) {
  std::erase_if(later_, [&watch](const Later& each) { return each.watch == &watch; });
}

void Worker::Impl::post(std::move_only_function<void()> work) {
  bool is_first = false;
  {
    const std::scoped_lock lock(posted_mutex_);
    is_first = posted_.empty();
    posted_.push_back(std::move(work));
    has_posted_.store(true, std::memory_order_release);
  }
  // Its own thread looks before it waits.
  if (is_first && current != this) reactor.wake();
}

void Worker::Impl::run_posted() {
  if (!has_posted_.load(std::memory_order_acquire)) return;
  std::vector<std::move_only_function<void()>> works;
  {
    const std::scoped_lock lock(posted_mutex_);
    works.swap(posted_);
    has_posted_.store(false, std::memory_order_relaxed);
  }
  for (auto& work : works) {
    if (stopped_) return;
    work();
    run_ready();
  }
}

void Worker::Impl::run_ready() {
  // What becomes ready meanwhile waits for its own turn, so that the sockets get theirs.
  running_.swap(ready_);
  for (const std::coroutine_handle<> coroutine : running_) coroutine.resume();
  running_.clear();
}

Worker::Worker(unsigned index, const TimeSource& time)
    : index_(index), time_(time), scratch_(kScratchBytes), impl_(std::make_unique<Impl>(*this)) {
  // A peer that has gone is reported by the write itself.
  std::signal(SIGPIPE, SIG_IGN);
  timers_.on_earlier([this](MonotonicTime due) { impl_->arm_timer(due); });
}

Worker::~Worker() = default;

MonotonicTime Worker::now() const { return time_.monotonic(); }

void Worker::schedule(std::coroutine_handle<> coroutine) { impl_->schedule(coroutine); }

void Worker::schedule_after_others(std::coroutine_handle<> coroutine) {
  impl_->schedule_after_others(coroutine);
}

void Worker::post(std::move_only_function<void()> work) { impl_->post(std::move(work)); }

Task<Result<std::unique_ptr<Stream>>> Worker::connect(Endpoint to, Duration timeout) {
  return connect_socket(*this, std::move(to), timeout);
}

void Worker::run() { impl_->run(); }

void Worker::stop() {
  post([this] { impl_->stop(); });
}

struct WorkerGroup::Threads {
  std::vector<std::jthread> threads;
};

WorkerGroup::WorkerGroup(unsigned count, const TimeSource& time)
    : threads_(std::make_unique<Threads>()) {
  for (unsigned index = 0; index < count; ++index) {
    workers_.push_back(std::make_unique<Worker>(index, time));
    threads_->threads.emplace_back([worker = workers_.back().get()] { worker->run(); });
  }
}

WorkerGroup::~WorkerGroup() {
  for (const auto& worker : workers_) worker->stop();
  threads_->threads.clear();  // joins
}

void WorkerGroup::run_on_each(const std::function<void(Worker&)>& work) {
  std::vector<std::promise<void>> done(workers_.size());
  for (size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->post([&, i] {
      work(*workers_[i]);
      done[i].set_value();
    });
  }
  for (auto& each : done) each.get_future().wait();
}

namespace {

Task<> run_and_signal(std::function<Task<>()> start, std::promise<void>& done) {
  co_await start();
  done.set_value();
}

}  // namespace

void WorkerGroup::run_until_done(Worker& worker, std::function<Task<>()> start) {
  std::promise<void> done;
  std::unique_ptr<TaskScope> scope;
  worker.post([&] {
    scope = std::make_unique<TaskScope>(worker);
    scope->spawn(run_and_signal(std::move(start), done));
  });
  done.get_future().wait();
  // The runner leaves the scope on the worker's thread, after the promise was set.
  std::promise<void> left;
  worker.post([&] {
    scope.reset();
    left.set_value();
  });
  left.get_future().wait();
}

}  // namespace partywall::net
