#include "base/time.h"

namespace partywall {

MonotonicTime SystemTime::monotonic() const {
  return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch());
}

WallTime SystemTime::wall() const {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

}  // namespace partywall
