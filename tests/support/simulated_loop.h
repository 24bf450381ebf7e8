#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "net/loop.h"
#include "net/scope.h"
#include "support/memory_stream.h"

namespace partywall::test {

// A loop on a virtual clock and an in-memory network: real sessions and doors run on it, seeded and
// in microseconds. Time moves only by advance().
class SimulatedLoop final : public net::Loop {
 public:
  using Accept = std::function<void(std::unique_ptr<net::Stream>)>;

  [[nodiscard]] MonotonicTime now() const override { return time_.monotonic(); }
  [[nodiscard]] const TimeSource& time() const override { return time_; }
  [[nodiscard]] net::TimerQueue& timers() override { return timers_; }
  void schedule(std::coroutine_handle<> coroutine) override { ready_.push_back(coroutine); }
  void post(std::move_only_function<void()> work) override { posted_.push_back(std::move(work)); }
  net::Task<Result<std::unique_ptr<net::Stream>>> connect(Endpoint to, Duration timeout) override;
  [[nodiscard]] std::span<char> scratch() override { return scratch_; }

  // Connections to `endpoint` go to `accept`; an empty function refuses them.
  void listen(const Endpoint& endpoint, Accept accept) {
    listeners_[endpoint.to_string()] = std::move(accept);
  }
  MemoryNetworkSettings& network() { return network_; }

  // Runs until nothing can run without time passing.
  void run_ready();
  // Lets `by` pass, firing the timers on the way in order, and runs what they wake.
  void advance(Duration by);

 private:
  ManualTime time_;
  net::TimerQueue timers_;
  std::deque<std::coroutine_handle<>> ready_;
  std::deque<std::move_only_function<void()>> posted_;
  std::map<std::string, Accept> listeners_;
  MemoryNetworkSettings network_;
  std::vector<char> scratch_ = std::vector<char>(64 * 1024);
};

}  // namespace partywall::test
