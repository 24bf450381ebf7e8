#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace partywall::fleet {

// More than any pool has; keeps arithmetic on counts from overflowing.
inline constexpr uint32_t kMostInstances = 1'000'000;

// The whole number of instances that have at least this much capacity. A hair above a whole number
// is rounding noise of the arithmetic, not a reason for one more.
inline uint32_t whole_instances(double need) {
  constexpr double kNoise = 1e-9;
  if (!(need > 0)) return 0;
  return static_cast<uint32_t>(
      std::ceil(std::min(need, static_cast<double>(kMostInstances)) - kNoise));
}

}  // namespace partywall::fleet
