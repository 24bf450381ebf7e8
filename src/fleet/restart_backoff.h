#pragma once

#include <cstdint>

#include "base/time.h"

namespace partywall::fleet {

struct RestartBackoffSettings {
  Duration first = milliseconds(200);  // pause after the first exit
  Duration longest = seconds(60);
  Duration stable_after = seconds(10);  // an instance that ran this long starts from `first` again
};

// How long to wait before an instance that ended is started again: doubles each time it ends soon
// after its start, so that a broken version does not eat the machine.
class RestartBackoff {
 public:
  explicit RestartBackoff(RestartBackoffSettings settings) : settings_(settings) {}

  // To be called when the instance ended (or could not be started: then `ran` is zero).
  Duration after_exit(Duration ran);
  // How often in a row it ended before it was stable.
  [[nodiscard]] uint32_t early_exits() const { return early_exits_; }

 private:
  RestartBackoffSettings settings_;
  uint32_t early_exits_ = 0;
};

}  // namespace partywall::fleet
