#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fleet/provider.h"

namespace partywall::fleet {

enum class InstanceCondition : uint8_t { kHealthy, kStarting, kUnhealthy };
enum class InstanceVersion : uint8_t { kCurrent, kOld };
enum class ScaleInProtection : uint8_t { kNone, kProtected };

// What counts when fewer instances are to be.
struct TerminationCandidate {
  InstanceId id;
  InstanceCondition condition = InstanceCondition::kHealthy;
  InstanceVersion version = InstanceVersion::kCurrent;
  ScaleInProtection protection = ScaleInProtection::kNone;
  std::string zone{};
  uint32_t requests_in_flight = 0;
};

// The `count` instances that are missed least: unhealthy ones first, then those that still start,
// then old versions, then from the zone that has most left, then those with the fewest requests;
// between equals the smaller id, so that asking twice names the same. Protected ones are never
// named, even if fewer than `count` remain.
std::vector<InstanceId> choose_victims(std::span<const TerminationCandidate> candidates,
                                       uint32_t count);

}  // namespace partywall::fleet
