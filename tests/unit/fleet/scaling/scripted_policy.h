#pragma once

#include "fleet/scaling/policy.h"

namespace partywall::fleet {

// Recommends what a test tells it to.
class ScriptedPolicy final : public ScalingPolicy {
 public:
  explicit ScriptedPolicy(std::optional<uint32_t> count) : next{.count = count} {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  Recommendation recommend(const Observation&) override { return next; }

  Recommendation next;

 private:
  std::string name_ = "scripted";
};

}  // namespace partywall::fleet
