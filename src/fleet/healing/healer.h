#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "fleet/provider.h"

namespace partywall::fleet {

struct HealingSettings {
  uint32_t most_at_once = 1;  // replaced at the same time, or …
  double most_share = 0.1;    // … this share of the pool, whichever is more
  double brake_share = 0.5;   // so many of the pool unhealthy together: nothing is replaced
  uint32_t brake_least = 3;   // but not for fewer unhealthy ones than this
  Duration first_pause = seconds(10);  // after a launch that failed, doubled each time
  Duration longest_pause = minutes(10);
};

// One instance as the health checks see it; rise and fall are applied already.
struct InstanceHealth {
  InstanceId id;
  enum class State : uint8_t { kHealthy, kStarting, kUnhealthy } state = State::kHealthy;
};

// What is to be done now. An instance that is replaced drains first: the caller launches the new
// one, waits until it is healthy or has failed, and says so.
struct HealingDecision {
  std::vector<InstanceId> replace;
  // Many are unhealthy at once: that is rarely the instances' fault (a database that is away, a bad
  // deployment), and replacing them all would make it worse. Somebody must look.
  bool braked = false;
  std::optional<MonotonicTime> paused_until;  // launches keep failing
};

// Replaces unhealthy instances, with a brake. Reads no clock and does nothing itself.
class Healer {
 public:
  explicit Healer(HealingSettings settings) : settings_(settings) {}

  HealingDecision decide(MonotonicTime now, std::span<const InstanceHealth> instances);

  // What became of a replacement that decide() asked for.
  void replaced(const InstanceId& id);
  void launch_failed(const InstanceId& id, MonotonicTime now);

  [[nodiscard]] size_t replacing() const { return replacing_.size(); }

 private:
  [[nodiscard]] uint32_t allowance(size_t pool) const;

  HealingSettings settings_;
  std::vector<InstanceId> replacing_;
  uint32_t failed_launches_ = 0;  // in a row
  std::optional<MonotonicTime> paused_until_;
};

}  // namespace partywall::fleet
