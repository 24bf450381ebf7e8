#pragma once

#include <map>
#include <optional>

#include "fleet/provider.h"

namespace partywall::fleet {

// How many processors the instances keep busy, from what they have used at two looks. Pure.
class ProcessorMeter {
 public:
  // The mean of the instances that were there at the last look too; nothing: there is none, or no
  // time has passed.
  std::optional<double> look(MonotonicTime now, const std::map<InstanceId, ResourceUse>& use);

 private:
  MonotonicTime last_at_{};
  std::map<InstanceId, ResourceUse> last_;
};

}  // namespace partywall::fleet
