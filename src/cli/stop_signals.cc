#include "cli/stop_signals.h"

#include <csignal>
#include <stdexcept>

#include <poll.h>
#include <sys/signalfd.h>

namespace partywall::cli {
namespace {

sigset_t stopping() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stopping();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  descriptor_ = FileDescriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor_.valid()) throw std::runtime_error("no descriptor for signals can be made");
}

StopSignals::~StopSignals() {
  // A signal that has come was meant for what has ended.
  signalfd_siginfo information{};
  while (::read(descriptor_.number(), &information, sizeof information) > 0) {
  }
  const sigset_t set = stopping();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool StopSignals::has_come() const {
  pollfd waiting{.fd = descriptor_.number(), .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 0) > 0;
}

void StopSignals::wait(int timeout_ms) const {
  pollfd waiting{.fd = descriptor_.number(), .events = POLLIN, .revents = 0};
  (void)::poll(&waiting, 1, timeout_ms);
}

}  // namespace partywall::cli
