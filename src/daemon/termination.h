#pragma once

#include <csignal>

#include "base/time.h"

namespace partywall::daemon {

enum class Wakeup { kTimeout, kTerminate, kReload };

// SIGINT and SIGTERM (finish), SIGHUP (read the platform file again), taken in turn by one thread
// that waits for them. Make it before any other thread: all threads inherit the signal mask.
class TerminationSignals {
 public:
  TerminationSignals();

  Wakeup wait();
  Wakeup wait_for(Duration timeout);
  // Has the end been asked for? Once true, it stays true.
  [[nodiscard]] bool terminate_requested();

 private:
  Wakeup remember(int signal);

  sigset_t signals_{};
  bool terminate_ = false;
};

}  // namespace partywall::daemon
