#include "fleet/scaling/signal.h"

#include <array>
#include <cmath>

namespace partywall::fleet {

std::string signal_name(SignalId signal) {
  constexpr std::array<std::string_view, kFirstCustomSignal> kNames = {
      "offered_load", "request_rate", "cpu", "memory", "latency", "queue_length"};
  if (signal.value() < kNames.size()) return std::string(kNames[signal.value()]);
  return fmt::format("custom_{}", signal.value());
}

std::string_view to_string(SignalState state) {
  switch (state) {
    case SignalState::kFresh:
      return "fresh";
    case SignalState::kStale:
      return "stale";
    case SignalState::kMissing:
      return "missing";
  }
  return "unknown";
}

void SignalWindow::add(MonotonicTime at, double value) {
  if (!std::isfinite(value)) return;
  while (first_ < samples_.size() && at - samples_[first_].at >= keep_) ++first_;
  // Forgotten samples are taken out together, once they are the larger part.
  if (first_ > samples_.size() / 2) {
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  samples_.push_back({at, value});
}

Reading SignalWindow::average(MonotonicTime now, Duration window) const {
  if (samples_.empty()) return {SignalState::kMissing, 0};
  const Sample& last = samples_.back();
  if (now - last.at > stale_after_) return {SignalState::kStale, 0};
  double sum = 0;
  size_t count = 0;
  for (size_t i = samples_.size(); i > first_ && now - samples_[i - 1].at < window; --i) {
    sum += samples_[i - 1].value;
    ++count;
  }
  if (count == 0) return {SignalState::kFresh, last.value};
  return {SignalState::kFresh, sum / static_cast<double>(count)};
}

void PoolSignals::add(SignalId signal, MonotonicTime at, double value) {
  if (windows_.size() <= signal.value()) {
    windows_.resize(signal.value() + 1, SignalWindow(stale_after_, keep_));
  }
  windows_[signal.value()].add(at, value);
}

Reading PoolSignals::average(SignalId signal, MonotonicTime now, Duration window) const {
  if (windows_.size() <= signal.value()) return {SignalState::kMissing, 0};
  return windows_[signal.value()].average(now, window);
}

}  // namespace partywall::fleet
