#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "store/control/control_store.h"

namespace partywall::control {

// Gets the lease and keeps it, on a thread and a connection of its own, so that work that takes
// long does not lose it. What it says may be out of date when it is read (the process may be paused
// right after): every write checks the fence again, in the database.
class LeaseKeeper {
 public:
  // `holder` is this process and no other. `store` is the keeper's alone; both outlive it.
  LeaseKeeper(store::ControlStore store, std::string holder, Duration lifetime,
              const TimeSource& time);
  ~LeaseKeeper();

  // Of the lease that this process holds; 0: it does not lead.
  [[nodiscard]] int64_t fence() const;
  // Gives the lease back, so that another need not wait for its end.
  void stop();

 private:
  void run();
  void renew();

  store::ControlStore store_;
  std::string holder_;
  Duration lifetime_;
  const TimeSource& time_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  int64_t fence_ = 0;
  MonotonicTime valid_until_{};
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace partywall::control
