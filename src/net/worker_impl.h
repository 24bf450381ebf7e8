#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <coroutine>
#include <vector>

#include "net/worker.h"

// The part of net/ that knows Asio. Asio is the reactor: it says when a descriptor is ready and
// when a time has come. Reading and writing are done by the streams themselves.
namespace partywall::net {

// Concrete executors: any_io_executor costs an indirect call for each operation.
using Executor = boost::asio::io_context::executor_type;
using Descriptor = boost::asio::posix::basic_stream_descriptor<Executor>;
using AsioTimer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

struct Worker::Impl {
  explicit Impl(Worker& owner);

  void arm_timer(MonotonicTime due);
  void schedule(std::coroutine_handle<> coroutine);
  void schedule_after_others(std::coroutine_handle<> coroutine);

  // Every handler that Asio calls is a turn: it does its work, then resumes the coroutines that
  // this made ready, without a further trip through Asio's queue.
  template <class Work>
  void turn(Work&& work) {
    in_turn = true;
    work();
    run_ready();
    in_turn = false;
  }

  Worker& worker;
  boost::asio::io_context context{1};  // one thread runs it: no lock on its own queue
  boost::asio::executor_work_guard<Executor> keep_running;
  AsioTimer timer;
  bool in_turn = false;
  std::vector<std::coroutine_handle<>> ready;
  std::vector<std::coroutine_handle<>> ready_after_others;
  std::vector<std::coroutine_handle<>> running;

 private:
  void run_ready();
  void post_turn();
};

}  // namespace partywall::net
