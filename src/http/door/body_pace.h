#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace partywall::http {

// How slowly a client may send the body of a request: a byte every few seconds keeps an instance
// busy for hours, and costs whoever does it nothing ("slow POST"). While the body is awaited it
// must bring `bytes_per_second` on average; the first `patience` is free. Time in which the client
// could not send, because the application took nothing, does not count.
class BodyPace {
 public:
  // 0 bytes a second: as slowly as it likes.
  BodyPace(Duration patience, uint64_t bytes_per_second)
      : allowed_(patience), bytes_per_second_(bytes_per_second) {}

  void took(uint64_t bytes) {
    if (bytes_per_second_ == 0) return;
    allowed_ += Duration(seconds(1)) * static_cast<int64_t>(bytes) /
                static_cast<int64_t>(bytes_per_second_);
  }
  void awaited(MonotonicTime now) {
    if (!is_awaited_) awaited_since_ = now;
    is_awaited_ = true;
  }
  void not_awaited(MonotonicTime now) {
    if (is_awaited_) waited_ += now - awaited_since_;
    is_awaited_ = false;
  }
  // Until the client has been too slow, if nothing comes; only while it is awaited.
  [[nodiscard]] Duration left(MonotonicTime now) const {
    if (bytes_per_second_ == 0) return Duration::max();
    return std::max(allowed_ - waited_ - (now - awaited_since_), Duration(0));
  }

 private:
  Duration allowed_;
  uint64_t bytes_per_second_;
  Duration waited_{};
  MonotonicTime awaited_since_{};
  bool is_awaited_ = false;
};

}  // namespace partywall::http
