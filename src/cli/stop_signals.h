#pragma once

#include "base/file_descriptor.h"

namespace partywall::cli {

// SIGINT and SIGTERM as a descriptor that can be read once one has come, for a command that works
// until it is told to stop. Make it before any thread; later signals end the process as usual once
// it is gone.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  [[nodiscard]] int descriptor() const { return descriptor_.number(); }
  [[nodiscard]] bool has_come() const;
  // Sleeps so long, or until one has come.
  void wait(int timeout_ms) const;

 private:
  FileDescriptor descriptor_;
};

}  // namespace partywall::cli
