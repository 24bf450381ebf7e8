#pragma once

#include <cstdint>

#include "base/random.h"
#include "base/time.h"

namespace partywall {

struct BackoffSettings {
  Duration first = milliseconds(100);  // pause after the first failure, doubled after each more
  Duration longest = seconds(5);

  bool operator==(const BackoffSettings&) const = default;
};

// The pause after so many failures in a row (0: none).
[[nodiscard]] Duration backoff_pause(const BackoffSettings& settings, uint32_t failures);

// The same, drawn from its upper half, so that those who failed together do not come back together.
[[nodiscard]] Duration spread_backoff_pause(const BackoffSettings& settings, uint32_t failures,
                                            Random& random);

// When something that failed may be tried again.
class Backoff {
 public:
  explicit Backoff(BackoffSettings settings) : settings_(settings) {}

  // `began`: when the attempt that failed began.
  void failed(MonotonicTime began);
  void succeeded() { *this = Backoff(settings_); }
  [[nodiscard]] bool may_try(MonotonicTime now) const { return now >= retry_at_; }
  [[nodiscard]] MonotonicTime retry_at() const { return retry_at_; }
  [[nodiscard]] uint32_t failures() const { return failures_; }

 private:
  BackoffSettings settings_;
  uint32_t failures_ = 0;  // in a row
  MonotonicTime retry_at_{};
};

}  // namespace partywall
