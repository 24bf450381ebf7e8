#pragma once

#include <string>
#include <vector>

#include "fleet/loop/pool_keeper.h"

namespace partywall::fleet {

struct InstanceStatus {
  InstanceView view;
  InstanceHealth::State health = InstanceHealth::State::kStarting;
  bool draining = false;
};

// What an operator sees of a pool.
struct PoolStatus {
  std::string cell;
  std::string pool;
  std::string version;
  ScalerSettings bounds;
  PoolCapacity capacity;
  bool paused = false;
  bool braked = false;
  Reading offered_load;
  Reading request_rate;
  Reading cpu;
  std::string explanation;  // of the last decision; empty: none yet
  std::string trouble;      // why the last order could not be given; empty: none
  std::vector<InstanceStatus> instances;
};

std::string_view to_string(InstanceHealth::State state);

// One JSON object each.
std::string to_json(const PoolStatus& status);
std::string to_json(const PoolEvent& event);

}  // namespace partywall::fleet
