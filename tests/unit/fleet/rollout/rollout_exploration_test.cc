// Every state that a rollout can get into, whatever instances, verdicts, operators and the
// autoscaler do: the promises of rollout.h hold in each, and from each it comes to an end.
#include <deque>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "fleet/rollout/rollout.h"

namespace partywall::fleet {
namespace {

constexpr Duration kTick = minutes(1);
constexpr uint32_t kMostDesired = 3;

// What is outside of the rollout.
struct World {
  RolloutState state;
  int64_t tick = 0;
  uint32_t desired = 2;
  VersionCounts old_version;
  VersionCounts new_version;
  int commands_left = 2;
  int deaths_left = 1;

  // What decides what can still happen: times count from now, and only as far back as a deadline
  // reaches; what a held step or another phase does not look at is left out.
  [[nodiscard]] auto key() const {
    const auto ticks_ago = [&](MonotonicTime time) {
      return std::min<int64_t>(tick - (time - MonotonicTime{}) / kTick, 4);
    };
    const bool deadline_counts = state.phase == RolloutPhase::kRunning && !state.step_began;
    const bool paused = state.phase == RolloutPhase::kPaused;
    return std::tuple(
        state.phase, state.stage, state.step, state.step_began ? ticks_ago(*state.step_began) : -1,
        deadline_counts ? ticks_ago(state.last_progress) : -1,
        state.step_began ? 0 : state.most_ready, paused ? static_cast<int>(state.share * 100) : 0,
        desired, old_version.launched, old_version.ready, new_version.launched, new_version.ready,
        commands_left, deaths_left);
  }
};

RolloutPlan plan_of(RolloutStrategy strategy, uint32_t surge, uint32_t unavailable) {
  return {.strategy = strategy,
          .max_surge = surge,
          .max_unavailable = unavailable,
          .steps = {{.percent = 10, .hold = kTick}, {.percent = 50, .hold = kTick}},
          .bake = {.percent = 100, .hold = kTick},
          .progress_deadline = 3 * kTick,
          .inconclusive_after = 2 * kTick};
}

// Starting instances go before ready ones.
void apply(VersionCounts& version, uint32_t count) {
  version.launched = count;
  version.ready = std::min(version.ready, count);
}

class Explorer {
 public:
  explicit Explorer(RolloutPlan plan) : plan_(std::move(plan)) {}

  void explore() {
    World first{.state = Rollout(plan_, MonotonicTime{}).state()};
    first.old_version = {.launched = 2, .ready = 2};
    visit(first);
    while (!waiting_.empty() && !testing::Test::HasFailure()) {
      const World world = waiting_.front();
      waiting_.pop_front();
      for (const Verdict verdict : {Verdict::kPass, Verdict::kFail, Verdict::kInconclusive}) {
        step(world, verdict, std::nullopt);
      }
      if (world.commands_left == 0) continue;
      for (const RolloutCommand command : {RolloutCommand::kPause, RolloutCommand::kResume,
                                           RolloutCommand::kAbort, RolloutCommand::kPromote}) {
        step(world, Verdict::kInconclusive, command);
      }
      step(world, Verdict::kFail, RolloutCommand::kPause);
    }
  }

  [[nodiscard]] size_t visited() const { return visited_.size(); }

 private:
  void visit(const World& world) {
    if (visited_.insert(world.key()).second) {
      waiting_.push_back(world);
      comes_to_an_end(world);
    }
  }

  RolloutInput input_of(const World& world, Verdict verdict,
                        std::optional<RolloutCommand> command) const {
    return {.now = MonotonicTime{} + world.tick * kTick,
            .desired = world.desired,
            .old_version = world.old_version,
            .new_version = world.new_version,
            .verdict = verdict,
            .command = command};
  }

  // One call, then everything that may happen until the next.
  void step(World world, Verdict verdict, std::optional<RolloutCommand> command) {
    const World before = world;
    Rollout rollout(plan_, world.state);
    const RolloutTarget target = rollout.advance(input_of(world, verdict, command));
    world.state = rollout.state();
    check(before, world.state, target, verdict, command);
    if (command) --world.commands_left;
    apply(world.old_version, target.old_count);
    apply(world.new_version, target.new_count);
    ++world.tick;

    const uint32_t starting_old = world.old_version.launched - world.old_version.ready;
    const uint32_t starting_new = world.new_version.launched - world.new_version.ready;
    for (const uint32_t old_ready : {0U, starting_old}) {
      for (const uint32_t new_ready : {0U, std::min(1U, starting_new), starting_new}) {
        World next = world;
        next.old_version.ready += old_ready;
        next.new_version.ready += new_ready;
        visit(next);
        if (next.deaths_left > 0) {
          --next.deaths_left;
          kill_one(next, &World::old_version);
          kill_one(next, &World::new_version);
        }
      }
    }
    if (world.desired < kMostDesired) {
      World grown = world;
      ++grown.desired;
      visit(grown);
    } else {
      World shrunk = world;
      shrunk.desired = 1;
      visit(shrunk);
    }
  }

  void kill_one(World world, VersionCounts World::* version) {
    if ((world.*version).ready == 0) return;
    --(world.*version).ready;
    --(world.*version).launched;
    visit(world);
  }

  void check(const World& before, const RolloutState& after, const RolloutTarget& target,
             Verdict verdict, std::optional<RolloutCommand> command) {
    const bool was_over = before.state.phase == RolloutPhase::kSucceeded ||
                          before.state.phase == RolloutPhase::kRolledBack;
    // No ready instance is taken away that is needed.
    const uint32_t least = before.desired - std::min(before.desired, plan_.max_unavailable);
    const uint32_t ready_before = before.old_version.ready + before.new_version.ready;
    const uint32_t ready_after = std::min(before.old_version.ready, target.old_count) +
                                 std::min(before.new_version.ready, target.new_count);
    EXPECT_GE(ready_after, std::min(ready_before, least)) << describe(before, after, target);

    EXPECT_GE(target.new_share, 0);
    EXPECT_LE(target.new_share, 1);
    if (target.new_share > 0 && after.phase != RolloutPhase::kSucceeded) {
      EXPECT_GT(before.new_version.ready, 0U) << describe(before, after, target);
    }
    if (after.phase == RolloutPhase::kRollingBack || after.phase == RolloutPhase::kRolledBack) {
      EXPECT_LE(target.new_count, before.new_version.launched) << describe(before, after, target);
      if (before.old_version.ready >= std::max(least, 1U)) {
        EXPECT_EQ(target.new_share, 0) << describe(before, after, target);
      }
    }
    if (was_over) {
      EXPECT_EQ(after.phase, before.state.phase) << "an end is an end";
      return;
    }
    const bool measured =
        before.state.step_began || before.state.stage == RolloutState::Stage::kRolling;
    if (verdict == Verdict::kFail && measured && command != RolloutCommand::kPromote) {
      EXPECT_TRUE(after.phase == RolloutPhase::kRollingBack ||
                  after.phase == RolloutPhase::kRolledBack)
          << describe(before, after, target);
    }
    // A gate is passed with a verdict or by an operator's word.
    const bool went_on = after.stage != before.state.stage || after.step != before.state.step;
    const bool gated = before.state.stage == RolloutState::Stage::kCanary ||
                       before.state.stage == RolloutState::Stage::kBake;
    if (went_on && gated) {
      EXPECT_TRUE(verdict == Verdict::kPass || command == RolloutCommand::kPromote)
          << describe(before, after, target);
    }
    if (plan_.strategy == RolloutStrategy::kRolling && after.phase == RolloutPhase::kRunning) {
      EXPECT_LE(target.old_count + target.new_count,
                std::max(before.desired + plan_.max_surge,
                         before.old_version.launched + before.new_version.launched))
          << describe(before, after, target);
    }
  }

  // In a kind world every state comes to an end, or waits for an operator and says why.
  void comes_to_an_end(World world) {
    for (int i = 0; i < 60; ++i) {
      Rollout rollout(plan_, world.state);
      const RolloutTarget target = rollout.advance(input_of(world, Verdict::kPass, std::nullopt));
      world.state = rollout.state();
      if (rollout.finished()) return;
      if (world.state.phase == RolloutPhase::kPaused) {
        EXPECT_FALSE(world.state.reason.empty());
        return;
      }
      apply(world.old_version, target.old_count);
      apply(world.new_version, target.new_count);
      world.old_version.ready = world.old_version.launched;
      world.new_version.ready = world.new_version.launched;
      ++world.tick;
    }
    ADD_FAILURE() << "never ends: " << describe(world, world.state, {});
  }

  static std::string describe(const World& world, const RolloutState& after,
                              const RolloutTarget& target) {
    return fmt::format(
        "{} stage {} step {}, desired {}, old {}/{}, new {}/{} -> {} ({}), old {}, new {}, share "
        "{}",
        to_string(world.state.phase), static_cast<int>(world.state.stage), world.state.step,
        world.desired, world.old_version.ready, world.old_version.launched, world.new_version.ready,
        world.new_version.launched, to_string(after.phase), after.reason, target.old_count,
        target.new_count, target.new_share);
  }

  RolloutPlan plan_;
  std::set<decltype(World{}.key())> visited_;
  std::deque<World> waiting_;
};

struct Setting {
  RolloutStrategy strategy;
  uint32_t surge;
  uint32_t unavailable;
};

class RolloutExploration : public testing::TestWithParam<Setting> {};

TEST_P(RolloutExploration, KeepsItsPromisesInEveryState) {
  const Setting& setting = GetParam();
  Explorer explorer(plan_of(setting.strategy, setting.surge, setting.unavailable));
  explorer.explore();
  EXPECT_GT(explorer.visited(), 1'000U);
  RecordProperty("states", static_cast<int>(explorer.visited()));
}

INSTANTIATE_TEST_SUITE_P(All, RolloutExploration,
                         testing::Values(Setting{RolloutStrategy::kRolling, 1, 0},
                                         Setting{RolloutStrategy::kRolling, 0, 1},
                                         Setting{RolloutStrategy::kRolling, 2, 1},
                                         Setting{RolloutStrategy::kCanary, 1, 0},
                                         Setting{RolloutStrategy::kCanary, 0, 1},
                                         Setting{RolloutStrategy::kBlueGreen, 1, 0},
                                         Setting{RolloutStrategy::kBlueGreen, 1, 1}));

}  // namespace
}  // namespace partywall::fleet
