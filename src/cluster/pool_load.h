#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/time.h"

// What the http door knows of the load of a pool, for whoever decides how many instances it needs.
namespace partywall {

enum class InstanceJudgement : uint8_t {
  kUnjudged,  // the checks have not said yet
  kUp,
  kDown,
};

struct InstanceLoad {
  std::string id;
  Endpoint endpoint;
  InstanceJudgement judgement = InstanceJudgement::kUnjudged;
  // Of its weight, that it gets now: 0.1 to 1 while it starts slowly, 0 while it is out because its
  // requests failed.
  double share = 1.0;
  uint32_t in_flight = 0;  // requests under way there
  // Since the door knows the instance. They only grow.
  uint64_t begun = 0;   // requests sent there, each attempt for one
  uint64_t ended = 0;   // of those
  uint64_t failed = 0;  // of those that ended: answered with 5xx, or not answered
};

struct PoolLoad {
  MonotonicTime at{};    // of the oldest part of it: what is old says nothing
  uint64_t waiting = 0;  // requests that wait for room at an instance
  std::vector<InstanceLoad> instances;

  // Of that name at that place; nullptr: there is none.
  template <class Self>
  [[nodiscard]] auto* find(this Self& self, std::string_view id, const Endpoint& endpoint) {
    const auto found = std::ranges::find_if(self.instances, [&](const InstanceLoad& each) {
      return each.id == id && each.endpoint == endpoint;
    });
    return found == self.instances.end() ? nullptr : &*found;
  }
};

class PoolLoadSource {
 public:
  virtual ~PoolLoadSource() = default;
  // From now on the pool is measured. Cheap to call again.
  virtual void measure(std::string_view cell, std::string_view pool) = 0;
  // Nothing: not measured yet. Thread-safe, and never waits for the door.
  [[nodiscard]] virtual std::optional<PoolLoad> load(std::string_view cell,
                                                     std::string_view pool) const = 0;
};

}  // namespace partywall
