#include "support/simulated_loop.h"

#include <algorithm>
#include <utility>

namespace partywall::test {

net::Task<Result<std::unique_ptr<net::Stream>>> SimulatedLoop::connect(Endpoint to, Duration) {
  const auto found = listeners_.find(to.to_string());
  if (found == listeners_.end() || !found->second) {
    co_return fail(ErrorKind::kUnavailable, "{}: cannot connect: nobody listens", to.to_string());
  }
  auto [ours, theirs] = make_stream_pair(network_, {"10.0.0.1", 1000}, to);
  found->second(std::move(theirs));
  co_return std::move(ours);
}

void SimulatedLoop::run_ready() {
  while (!ready_.empty() || !posted_.empty()) {
    if (!posted_.empty()) {
      auto work = std::move(posted_.front());
      posted_.pop_front();
      work();
      continue;
    }
    const std::coroutine_handle<> coroutine = ready_.front();
    ready_.pop_front();
    // Who relies on the shared buffer over a wait shall see that.
    std::ranges::fill(scratch_, '\xA5');
    coroutine.resume();
  }
}

void SimulatedLoop::advance(Duration by) {
  run_ready();
  const MonotonicTime end = now() + by;
  while (true) {
    const auto due = timers_.next();
    if (!due || *due > end) break;
    if (*due > now()) time_.advance(*due - now());
    timers_.advance(now());
    run_ready();
  }
  time_.advance(end - now());
  timers_.advance(now());
  run_ready();
}

}  // namespace partywall::test
