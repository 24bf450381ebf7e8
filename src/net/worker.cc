#include "net/worker.h"

#include <boost/asio/post.hpp>
#include <csignal>
#include <future>
#include <thread>

#include "net/scope.h"
#include "net/socket_stream.h"
#include "net/worker_impl.h"

namespace partywall::net {
namespace {
constexpr size_t kScratchBytes = 64 * 1024;
}

Worker::Impl::Impl(Worker& owner)
    : worker(owner), keep_running(context.get_executor()), timer(context.get_executor()) {}

void Worker::Impl::arm_timer(MonotonicTime due) {
  // The loop's own time may be another clock than Asio's: only the distance counts.
  const Duration wait = std::max(due - worker.now(), Duration(0));
  timer.expires_after(wait);
  timer.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // replaced by an earlier one
    turn([this] {
      if (const auto next = worker.timers_.advance(worker.now())) arm_timer(*next);
    });
  });
}

void Worker::Impl::schedule(std::coroutine_handle<> coroutine) {
  ready.push_back(coroutine);
  if (!in_turn && ready.size() == 1) post_turn();
}

void Worker::Impl::schedule_after_others(std::coroutine_handle<> coroutine) {
  ready_after_others.push_back(coroutine);
  if (ready_after_others.size() > 1) return;
  // Asio's queue is first in, first out: the handlers of all sockets that were found ready come
  // before this one.
  boost::asio::post(context, [this] {
    turn([this] {
      ready.insert(ready.end(), ready_after_others.begin(), ready_after_others.end());
      ready_after_others.clear();
    });
  });
}

void Worker::Impl::run_ready() {
  // What becomes ready meanwhile waits for its own turn, so that the sockets get theirs.
  running.swap(ready);
  for (const std::coroutine_handle<> coroutine : running) coroutine.resume();
  running.clear();
  if (!ready.empty()) post_turn();
}

void Worker::Impl::post_turn() {
  boost::asio::post(context, [this] { turn([] {}); });
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

void Worker::post(std::move_only_function<void()> work) {
  boost::asio::post(impl_->context,
                    [this, work = std::move(work)]() mutable { impl_->turn(work); });
}

Task<Result<std::unique_ptr<Stream>>> Worker::connect(Endpoint to, Duration timeout) {
  return connect_socket(*this, std::move(to), timeout);
}

void Worker::run() { impl_->context.run(); }

void Worker::stop() {
  boost::asio::post(impl_->context, [this] {
    impl_->keep_running.reset();
    impl_->context.stop();
  });
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
