#include "daemon/termination.h"

#include <cerrno>
#include <stdexcept>

namespace partywall::daemon {
namespace {

timespec to_timespec(Duration duration) {
  const auto whole = std::chrono::floor<seconds>(duration);
  return {.tv_sec = whole.count(), .tv_nsec = (duration - whole).count()};
}

}  // namespace

TerminationSignals::TerminationSignals() {
  sigemptyset(&signals_);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, number);
  if (pthread_sigmask(SIG_BLOCK, &signals_, nullptr) != 0)
    throw std::runtime_error("signals cannot be blocked");
  // A client that goes away while we write to it is no reason to end.
  (void)std::signal(SIGPIPE, SIG_IGN);
}

Wakeup TerminationSignals::wait() {
  constexpr Duration kLong = hours(24);
  while (true) {
    const Wakeup wakeup = wait_for(kLong);
    if (wakeup != Wakeup::kTimeout) return wakeup;
  }
}

Wakeup TerminationSignals::wait_for(Duration timeout) {
  if (terminate_) return Wakeup::kTerminate;
  const timespec patience = to_timespec(timeout);
  return remember(::sigtimedwait(&signals_, nullptr, &patience));
}

bool TerminationSignals::terminate_requested() {
  (void)wait_for(Duration::zero());
  return terminate_;
}

Wakeup TerminationSignals::remember(int signal) {
  if (signal < 0) return Wakeup::kTimeout;  // EAGAIN; after EINTR the caller waits again
  if (signal == SIGHUP) return Wakeup::kReload;
  terminate_ = true;
  return Wakeup::kTerminate;
}

}  // namespace partywall::daemon
