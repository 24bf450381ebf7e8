#pragma once

#include <chrono>

// Two kinds of time that cannot be mixed up: MonotonicTime for durations and deadlines, WallTime
// for what is written down or signed. Nothing below main() reads a clock by itself: it is given a
// TimeSource, or the time as an argument, so that it also runs on a virtual clock.
namespace partywall {

using Duration = std::chrono::nanoseconds;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

using MonotonicTime = MonotonicClock::time_point;
using WallTime = std::chrono::sys_time<milliseconds>;

class TimeSource {
 public:
  virtual ~TimeSource() = default;
  [[nodiscard]] virtual MonotonicTime monotonic() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
};

class SystemTime final : public TimeSource {
 public:
  [[nodiscard]] MonotonicTime monotonic() const override;
  [[nodiscard]] WallTime wall() const override;
};

// A clock that moves only when it is told to: for tests and simulations.
class ManualTime final : public TimeSource {
 public:
  explicit ManualTime(WallTime start = WallTime(seconds(1'700'000'000))) : wall_(start) {}
  [[nodiscard]] MonotonicTime monotonic() const override { return monotonic_; }
  [[nodiscard]] WallTime wall() const override {
    return wall_ + std::chrono::duration_cast<milliseconds>(monotonic_.time_since_epoch());
  }
  void advance(Duration by) { monotonic_ += by; }

 private:
  MonotonicTime monotonic_{};
  WallTime wall_;
};

}  // namespace partywall
