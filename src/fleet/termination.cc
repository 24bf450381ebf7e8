#include "fleet/termination.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

namespace partywall::fleet {
namespace {

// The lower, the sooner it goes; zones and requests decide between equals.
int worth(const TerminationCandidate& candidate) {
  if (candidate.condition == InstanceCondition::kUnhealthy) return 0;
  if (candidate.condition == InstanceCondition::kStarting) return 1;
  return candidate.version == InstanceVersion::kOld ? 2 : 3;
}

}  // namespace

std::vector<InstanceId> choose_victims(std::span<const TerminationCandidate> candidates,
                                       uint32_t count) {
  std::vector<const TerminationCandidate*> left;
  std::map<std::string_view, uint32_t> in_zone;
  for (const TerminationCandidate& candidate : candidates) {
    ++in_zone[candidate.zone];
    if (candidate.protection == ScaleInProtection::kNone) left.push_back(&candidate);
  }
  std::vector<InstanceId> victims;
  while (victims.size() < count && !left.empty()) {
    const auto next =
        std::ranges::min_element(left, {}, [&](const TerminationCandidate* candidate) {
          return std::tuple(worth(*candidate), -static_cast<int64_t>(in_zone[candidate->zone]),
                            candidate->requests_in_flight, candidate->id.value());
        });
    victims.push_back((*next)->id);
    --in_zone[(*next)->zone];
    left.erase(next);
  }
  return victims;
}

}  // namespace partywall::fleet
