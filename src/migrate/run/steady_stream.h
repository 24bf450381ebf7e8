#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/backoff.h"
#include "migrate/apply/follower.h"
#include "migrate/run/wake_signal.h"

namespace partywall::migrate {

// A stream that was prepared, followed over connections that are made anew when they are lost.
class SteadyStream {
 public:
  using OnRetry = std::function<void(const Error& error, Duration pause)>;

  // `listener` and `time` must outlive it.
  SteadyStream(FollowSettings settings, FollowListener& listener, OnRetry on_retry,
               const TimeSource& time)
      : settings_(std::move(settings)),
        listener_(listener),
        on_retry_(std::move(on_retry)),
        time_(time),
        backoff_({.first = milliseconds(200), .longest = seconds(10)}) {}

  // As Follower::run. Fails only with what another connection cannot help.
  Result<FollowEnd> run(std::optional<Lsn> until);

  // Of the stream, once run() was called.
  [[nodiscard]] const StreamPlan& plan() const { return *plan_; }

 private:
  Result<> open();
  [[nodiscard]] bool is_woken() const;
  void wait(Duration pause) const;

  FollowSettings settings_;
  FollowListener& listener_;
  OnRetry on_retry_;
  const TimeSource& time_;
  Backoff backoff_;
  std::unique_ptr<StreamPlan> plan_;  // of the follower, which refers to it
  std::unique_ptr<Follower> follower_;
  // The last failure was that an earlier follower, or its server process, had not ended yet.
  bool is_opening_ = false;
};

}  // namespace partywall::migrate
