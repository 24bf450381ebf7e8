#pragma once

#include <optional>

#include "cluster/pool_load.h"
#include "fleet/scaling/signal.h"

namespace partywall::fleet {

// Makes the signals of the scaling policies out of what the door counts, from one look to the next.
// Pure.
class LoadMeter {
 public:
  // `load` is what the door wrote down last; a part that is no newer than the last one adds
  // nothing, so that a door that stands still is missing data and no zero.
  void look(const PoolLoad& load, PoolSignals& signals);

 private:
  std::optional<PoolLoad> last_;
};

}  // namespace partywall::fleet
