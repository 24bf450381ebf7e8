#include "migrate/run/steady_stream.h"

#include <poll.h>

#include "migrate/copy/session.h"
#include "migrate/passing.h"

namespace partywall::migrate {

// With the connections more may have been lost: the slot, or what the target remembers.
Result<> SteadyStream::open() {
  is_opening_ = false;
  auto source = open_session(settings_.stream.source);
  if (!source) return fail_with_context("source", source.error());
  auto target = open_session(settings_.stream.target);
  if (!target) return fail_with_context("target", target.error());
  auto plan = plan_resumption(*source, *target, settings_.stream);
  if (!plan) return std::unexpected(plan.error());
  plan_ = std::make_unique<StreamPlan>(*std::move(plan));
  is_opening_ = true;
  auto follower = Follower::open(settings_, *plan_, listener_, time_);
  if (!follower) return std::unexpected(follower.error());
  follower_ = *std::move(follower);
  is_opening_ = false;
  return {};
}

Result<FollowEnd> SteadyStream::run(std::optional<Lsn> until) {
  while (true) {
    const MonotonicTime began = time_.monotonic();
    Result<FollowEnd> end = FollowEnd::kWoken;
    if (auto opened = follower_ ? Result<>{} : open(); !opened) {
      end = std::unexpected(opened.error());
    } else {
      end = follower_->run(until);
    }
    if (end) return end;
    follower_.reset();
    const bool is_busy = end.error().kind == ErrorKind::kConflict && is_opening_;
    if (!is_busy && !may_pass(end.error())) return end;
    if (time_.monotonic() - began > seconds(30)) backoff_.succeeded();
    backoff_.failed(time_.monotonic());
    const Duration pause = backoff_.retry_at() - time_.monotonic();
    on_retry_(end.error(), pause);
    wait(pause);
    if (is_woken()) return FollowEnd::kWoken;
  }
}

void SteadyStream::wait(Duration pause) const {
  std::vector<pollfd> waiting;
  for (const int wake : settings_.wake_descriptors)
    waiting.push_back({.fd = wake, .events = POLLIN, .revents = 0});
  (void)::poll(waiting.data(), waiting.size(),
               static_cast<int>(std::chrono::ceil<milliseconds>(pause).count()));
}

bool SteadyStream::is_woken() const {
  for (const int wake : settings_.wake_descriptors) {
    pollfd waiting{.fd = wake, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 0) > 0) return true;
  }
  return false;
}

}  // namespace partywall::migrate
