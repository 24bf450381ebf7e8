#pragma once

#include <cstdint>
#include <functional>

#include "base/time.h"

namespace partywall::cache {

// Holds a transfer back to so many bytes a second, so that the tenants whose Redis it is do not
// notice it.
class Pace {
 public:
  // `bytes_per_second` 0: as fast as it goes. `sleep` waits for so long.
  Pace(uint64_t bytes_per_second, const TimeSource& time, std::function<void(Duration)> sleep)
      : bytes_per_second_(bytes_per_second),
        time_(time),
        sleep_(std::move(sleep)),
        begun_(time.monotonic()) {}

  // To be called after so many bytes more.
  void moved(uint64_t bytes);
  [[nodiscard]] uint64_t total_bytes() const { return total_; }

 private:
  uint64_t bytes_per_second_;
  const TimeSource& time_;
  std::function<void(Duration)> sleep_;
  MonotonicTime begun_;
  uint64_t total_ = 0;
};

}  // namespace partywall::cache
