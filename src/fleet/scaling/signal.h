#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/strong_id.h"
#include "base/time.h"

// What is known of a pool's load. Missing and stale data are states of their own, never a zero: a
// policy that cannot see may ask for more instances, but never for fewer.
namespace partywall::fleet {

// Which measurement, as an index into the pool's own list. The first ones are the same for all.
using SignalId = StrongId<uint32_t, struct SignalIdTag>;

// Requests that would be in flight over the whole pool if nobody waited, plus what serves the queue
// within 30 s.
inline constexpr SignalId kOfferedLoad{0};
inline constexpr SignalId kRequestRate{1};  // requests a second, over the whole pool
inline constexpr SignalId kCpu{2};          // 0..1, the mean of the ready instances
inline constexpr SignalId kMemory{3};       // 0..1, the mean of the ready instances
inline constexpr SignalId kLatency{4};      // seconds, 95th percentile of the pool
inline constexpr SignalId kQueueLength{5};  // jobs that wait, for pools of workers
inline constexpr uint32_t kFirstCustomSignal = 6;

// "offered_load", "cpu", …; custom signals are "custom_6" and so on.
std::string signal_name(SignalId signal);

enum class SignalState : uint8_t {
  kFresh,
  kStale,    // there were values, the last one is too old
  kMissing,  // there never was one
};

std::string_view to_string(SignalState state);

struct Reading {
  SignalState state = SignalState::kMissing;
  double value = 0;  // of kFresh only

  [[nodiscard]] bool fresh() const { return state == SignalState::kFresh; }
};

// The recent values of one signal, and their average over the last while.
class SignalWindow {
 public:
  // A value older than `stale_after` counts as stale; what is older than `keep` is forgotten.
  explicit SignalWindow(Duration stale_after = seconds(60), Duration keep = minutes(5))
      : stale_after_(stale_after), keep_(keep) {}

  // `value` is the mean since the sample before. Samples come in the order of time; one that is
  // not finite is dropped, as if it had not come.
  void add(MonotonicTime at, double value);
  // Mean of the samples in (now - window, now]; the last one alone where none is that young, but
  // it is not stale yet.
  [[nodiscard]] Reading average(MonotonicTime now, Duration window) const;

 private:
  struct Sample {
    MonotonicTime at;
    double value;
  };

  Duration stale_after_;
  Duration keep_;
  std::vector<Sample> samples_;  // oldest first, from `first_` on
  size_t first_ = 0;
};

// All signals of one pool.
class PoolSignals {
 public:
  explicit PoolSignals(Duration stale_after = seconds(60), Duration keep = minutes(5))
      : stale_after_(stale_after), keep_(keep) {}

  void add(SignalId signal, MonotonicTime at, double value);
  [[nodiscard]] Reading average(SignalId signal, MonotonicTime now, Duration window) const;

 private:
  Duration stale_after_;
  Duration keep_;
  std::vector<SignalWindow> windows_;  // by signal
};

}  // namespace partywall::fleet
