#pragma once

#include "base/file_descriptor.h"
#include "base/time.h"

namespace partywall::migrate {

// A descriptor that can be read from signal() on, which any thread may call, until clear().
class WakeSignal {
 public:
  WakeSignal();

  void signal() const;
  void clear() const;
  [[nodiscard]] bool has_come() const;
  [[nodiscard]] int descriptor() const { return event_.number(); }

 private:
  FileDescriptor event_;
};

// A descriptor that can be read when a time has passed, until it is set again or cleared.
class WakeTimer {
 public:
  WakeTimer();

  // Replaces what was set before.
  void set(Duration from_now) const;
  void clear() const;
  [[nodiscard]] bool has_come() const;
  [[nodiscard]] int descriptor() const { return timer_.number(); }

 private:
  FileDescriptor timer_;
};

}  // namespace partywall::migrate
