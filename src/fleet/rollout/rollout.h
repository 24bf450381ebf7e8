#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fleet/rollout/analysis.h"

namespace partywall::fleet {

enum class RolloutStrategy : uint8_t {
  kRolling,    // instance by instance
  kCanary,     // a growing share of the traffic, each step analysed; then instance by instance
  kBlueGreen,  // a whole new set, then all traffic at once; the old set stays until it has baked
};

enum class StepGate : uint8_t { kHoldOnly, kAnalysis };

struct CanaryStep {
  uint32_t percent = 5;  // of the traffic, 1..100
  Duration hold = minutes(5);
  StepGate gate = StepGate::kAnalysis;
};

struct RolloutPlan {
  RolloutStrategy strategy = RolloutStrategy::kCanary;
  uint32_t max_surge = 1;        // instances above what is desired; of rolling steps
  uint32_t max_unavailable = 0;  // instances below it; not both 0
  std::vector<CanaryStep> steps{{.percent = 5}, {.percent = 25}, {.percent = 50}};
  CanaryStep bake{.percent = 100};            // of blue-green: before the old set goes
  Duration progress_deadline = minutes(10);   // without any progress it is rolled back
  Duration inconclusive_after = minutes(30);  // of a step without a verdict: it pauses
};

Result<> check_plan(const RolloutPlan& plan);

enum class RolloutPhase : uint8_t { kRunning, kPaused, kRollingBack, kSucceeded, kRolledBack };
enum class RolloutCommand : uint8_t { kPause, kResume, kAbort, kPromote };

std::string_view to_string(RolloutPhase phase);

struct VersionCounts {
  uint32_t launched = 0;  // with those that start; without those that drain
  uint32_t ready = 0;
};

struct RolloutInput {
  MonotonicTime now{};
  uint32_t desired = 0;  // of both versions together, by the autoscaler
  VersionCounts old_version;
  VersionCounts new_version;
  Verdict verdict = Verdict::kInconclusive;  // of what was measured since step_began()
  std::optional<RolloutCommand> command;
};

// What the caller brings about, draining what is to go before it goes.
struct RolloutTarget {
  uint32_t old_count = 0;
  uint32_t new_count = 0;
  double new_share = 0;  // of the traffic, 0..1; pinned tenants are never in it
};

// All that must outlive a process.
struct RolloutState {
  enum class Stage : uint8_t { kCanary, kGreen, kBake, kRolling };

  RolloutPhase phase = RolloutPhase::kRunning;
  Stage stage = Stage::kRolling;
  size_t step = 0;                          // of kCanary
  std::optional<MonotonicTime> step_began;  // when the step had all its instances
  MonotonicTime last_progress{};
  uint32_t most_ready = 0;  // of the new version, in this stage
  double share = 0;         // given out last
  std::string reason;       // why it is where it is, for people
};

// Brings a pool from one version to another, or back, one step at a time. Called at every change
// and at least every few seconds; it reads no clock and does nothing itself. What it promises, and
// the exhaustive test in tests/unit/fleet/rollout checks:
// - it never takes away a ready instance that is needed for desired - max_unavailable;
// - an aborted version gets no further instance, and no traffic as soon as the old one can bear it;
// - without a verdict nothing is promoted; a failed one wins over everything but an end;
// - every state but the two ends goes on by itself, or waits for an operator and says so.
class Rollout {
 public:
  // `plan` was checked.
  Rollout(RolloutPlan plan, MonotonicTime now);
  // Goes on where an earlier process stopped.
  Rollout(RolloutPlan plan, RolloutState state)
      : plan_(std::move(plan)), state_(std::move(state)) {}

  RolloutTarget advance(const RolloutInput& input);

  [[nodiscard]] const RolloutState& state() const { return state_; }
  [[nodiscard]] bool finished() const {
    return state_.phase == RolloutPhase::kSucceeded || state_.phase == RolloutPhase::kRolledBack;
  }

 private:
  using Stage = RolloutState::Stage;

  void obey(const RolloutInput& input);
  void judge(const RolloutInput& input);
  void watch_progress(const RolloutInput& input);
  void enter(Stage stage, MonotonicTime now, std::string reason);
  void roll_back(MonotonicTime now, std::string reason);
  void pass_gate(const RolloutInput& input, const CanaryStep& step);
  void next_stage(const RolloutInput& input);

  [[nodiscard]] uint32_t canary_instances(uint32_t desired) const;
  [[nodiscard]] bool measures() const;
  RolloutTarget run(const RolloutInput& input);
  RolloutTarget run_canary(const RolloutInput& input);
  RolloutTarget run_green(const RolloutInput& input);
  RolloutTarget run_bake(const RolloutInput& input);
  RolloutTarget run_rolling(const RolloutInput& input);
  RolloutTarget run_back(const RolloutInput& input);
  [[nodiscard]] RolloutTarget keep_what_is_needed(RolloutTarget target,
                                                  const RolloutInput& input) const;
  [[nodiscard]] RolloutTarget hold(const RolloutInput& input) const;

  RolloutPlan plan_;
  RolloutState state_;
};

}  // namespace partywall::fleet
