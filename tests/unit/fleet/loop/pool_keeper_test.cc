#include "fleet/loop/pool_keeper.h"

#include <set>

#include <gtest/gtest.h>

#include "support/sanitizers.h"

namespace partywall::fleet {
namespace {

// A machine on a virtual clock that does what a keeper orders: instances boot for a while, serve,
// hang, recover and drain. Every second one step.
class PoolKeeperTest : public testing::Test {
 protected:
  struct Machine {
    MonotonicTime since;
    bool hangs = false;
    uint32_t in_flight = 0;
    uint64_t memory = 0;
    bool draining = false;
  };

  PoolKeeperTest() {
    keeping.scaling.bounds = {.min = 2, .max = 20};
    keeping.scaling.bounds.down.stabilisation = seconds(60);
    keeping.scaling.forecast.reset();
  }

  PoolKeeper& keeper() {
    if (!keeper_) keeper_ = std::make_unique<PoolKeeper>(keeping);
    return *keeper_;
  }
  void restart_keeper() { keeper_.reset(); }

  InstanceView view_of(const InstanceId& id, const Machine& machine) const {
    InstanceView view{
        .observed = {.id = id,
                     .state = InstanceState::kRunning,
                     .endpoint = {"127.0.0.1", 80},
                     .process_id =
                         static_cast<int>(machine.since.time_since_epoch() / seconds(1)) + 1},
        .memory_bytes = machine.memory};
    const bool booted = now - machine.since >= boot && !never_up.contains(id.value());
    view.load = InstanceLoad{.id = id.value(),
                             .endpoint = {"127.0.0.1", 80},
                             .judgement = machine.hangs ? InstanceJudgement::kDown
                                          : booted      ? InstanceJudgement::kUp
                                                        : InstanceJudgement::kUnjudged,
                             .in_flight = machine.in_flight};
    return view;
  }

  PoolOrders step() {
    PoolView view{.now = now, .wall = WallTime(seconds(1'700'000'000))};
    PoolLoad load{.at = now, .waiting = waiting};
    for (const auto& [id, machine] : machines) {
      view.instances.push_back(view_of(id, machine));
      load.instances.push_back(*view.instances.back().load);
    }
    if (has_load) {
      view.load = load;
    } else {
      for (InstanceView& instance : view.instances) instance.load.reset();
    }
    PoolOrders orders = keeper().step(view);
    for (const InstanceId& id : orders.remove) machines.erase(id);
    for (auto& [id, machine] : machines) {
      machine.draining = std::ranges::find(orders.draining, id) != orders.draining.end();
    }
    for (int ordinal = 1; machines.size() < orders.count; ++ordinal) {
      machines.try_emplace(InstanceId(fmt::format("web-{}", ordinal)), Machine{.since = now});
    }
    for (PoolEvent& event : keeper().take_events()) events.push_back(std::move(event));
    now += seconds(1);
    return orders;
  }
  void run(Duration time) {
    for (Duration passed{}; passed < time; passed += seconds(1)) step();
  }
  // The load that each instance would have with this many requests in flight.
  void load(uint32_t in_flight) {
    for (auto& [id, machine] : machines) {
      machine.in_flight = machine.draining ? 0 : in_flight / static_cast<uint32_t>(machines.size());
    }
  }
  void run_with_load(uint32_t in_flight, Duration time) {
    for (Duration passed{}; passed < time; passed += seconds(1)) {
      load(in_flight);
      step();
    }
  }
  Machine& machine(std::string_view id) { return machines.at(InstanceId(std::string(id))); }
  size_t happened(PoolEventKind kind) const {
    return static_cast<size_t>(std::ranges::count(events, kind, &PoolEvent::kind));
  }

  PoolKeeping keeping;
  MonotonicTime now{seconds(1'000)};
  Duration boot = seconds(5);
  uint64_t waiting = 0;
  bool has_load = true;
  std::map<InstanceId, Machine> machines;
  std::set<std::string> never_up;
  std::vector<PoolEvent> events;

 private:
  std::unique_ptr<PoolKeeper> keeper_;
};

TEST_F(PoolKeeperTest, BeginsWithTheLeast) {
  run(seconds(1));
  EXPECT_EQ(machines.size(), 2U);
  run(minutes(5));
  EXPECT_EQ(machines.size(), 2U);
  EXPECT_TRUE(events.empty()) << events.front().text;
}

TEST_F(PoolKeeperTest, GrowsWithTheLoadAndShrinksWhenItHasGone) {
  run(seconds(10));
  run_with_load(100, minutes(2));
  // 20 at once at 60 %: 100 in flight need nine.
  EXPECT_NEAR(static_cast<double>(machines.size()), 9, 1);
  run_with_load(0, minutes(5));
  EXPECT_EQ(machines.size(), 2U);
  EXPECT_GE(happened(PoolEventKind::kDraining), 6U);
}

TEST_F(PoolKeeperTest, NeverGoesBeyondItsBounds) {
  for (const uint32_t in_flight : {5'000U, 0U, 1'000U, 0U}) {
    for (int i = 0; i < 300; ++i) {
      load(in_flight);
      step();
      size_t serving = 0;
      for (const auto& [id, machine] : machines) serving += machine.draining ? 0 : 1;
      ASSERT_LE(serving, 20U);
      ASSERT_GE(serving, 2U);
    }
  }
}

TEST_F(PoolKeeperTest, WithoutDataNothingIsScaledIn) {
  run(seconds(10));
  run_with_load(100, minutes(2));
  const size_t before = machines.size();
  has_load = false;
  run(minutes(10));
  EXPECT_EQ(machines.size(), before);
}

TEST_F(PoolKeeperTest, ARestartScalesNothingIn) {
  run(seconds(10));
  run_with_load(100, minutes(2));
  const size_t before = machines.size();
  restart_keeper();
  load(100);
  step();
  EXPECT_EQ(machines.size(), before);
}

TEST_F(PoolKeeperTest, WhatGoesDrainsFirst) {
  run(seconds(10));
  ASSERT_TRUE(keeper().scale(4, {}));
  run(seconds(20));
  ASSERT_EQ(machines.size(), 4U);
  for (auto& [id, machine] : machines) machine.in_flight = 1;
  keeper().pause({});
  ASSERT_TRUE(keeper().scale(3, {}));
  run(seconds(10));
  ASSERT_EQ(machines.size(), 4U) << "a request is under way there";
  const auto leaving =
      std::ranges::find_if(machines, [](const auto& entry) { return entry.second.draining; });
  ASSERT_NE(leaving, machines.end());
  leaving->second.in_flight = 0;
  run(seconds(2));
  EXPECT_EQ(machines.size(), 3U);
}

TEST_F(PoolKeeperTest, ARequestWithoutEndHoldsNobodyForEver) {
  run(seconds(10));
  ASSERT_TRUE(keeper().scale(3, {}));
  run(seconds(20));
  for (auto& [id, machine] : machines) machine.in_flight = 1;
  keeper().pause({});
  ASSERT_TRUE(keeper().scale(2, {}));
  run(keeping.drain_timeout + seconds(2));
  EXPECT_EQ(machines.size(), 2U);
}

TEST_F(PoolKeeperTest, AnUnhealthyInstanceIsReplacedAndGoesWhenTheOtherServes) {
  run(seconds(10));
  machine("web-1").hangs = true;
  step();
  EXPECT_EQ(machines.size(), 3U) << "the other one comes at once";
  run(boot - seconds(1));
  EXPECT_TRUE(machines.contains(InstanceId("web-1"))) << "and it is kept until then";
  run(seconds(4));
  EXPECT_FALSE(machines.contains(InstanceId("web-1")));
  EXPECT_EQ(machines.size(), 2U);
  EXPECT_EQ(happened(PoolEventKind::kReplaced), 1U);
}

TEST_F(PoolKeeperTest, OneThatRecoversStays) {
  run(seconds(10));
  machine("web-1").hangs = true;
  run(seconds(2));
  machine("web-1").hangs = false;
  run(seconds(20));
  EXPECT_EQ(machines.size(), 2U);
  EXPECT_TRUE(machines.contains(InstanceId("web-1")));
}

TEST_F(PoolKeeperTest, TwoUnhealthyOnesAreReplacedOneAfterTheOther) {
  run(seconds(10));
  ASSERT_TRUE(keeper().scale(6, {}));
  run(seconds(20));
  keeper().pause({});
  machine("web-1").hangs = true;
  machine("web-2").hangs = true;
  step();
  EXPECT_EQ(machines.size(), 7U);
  run(seconds(60));
  EXPECT_EQ(machines.size(), 6U);
  EXPECT_EQ(happened(PoolEventKind::kReplaced), 2U);
  for (const auto& [id, machine] : machines) EXPECT_FALSE(machine.hangs);
}

TEST_F(PoolKeeperTest, WhenManyAreUnhealthyTogetherNothingIsReplaced) {
  run(seconds(10));
  ASSERT_TRUE(keeper().scale(4, {}));
  run(seconds(20));
  keeper().pause({});
  for (auto& [id, machine] : machines) machine.hangs = true;
  run(minutes(10));
  EXPECT_EQ(machines.size(), 4U);
  EXPECT_TRUE(keeper().braked());
  EXPECT_EQ(happened(PoolEventKind::kBraked), 1U) << "said once";
  for (auto& [id, machine] : machines) machine.hangs = false;
  run(seconds(2));
  EXPECT_FALSE(keeper().braked());
}

TEST_F(PoolKeeperTest, AReplacementThatNeverServesIsGivenUpAndTriedAgainLater) {
  run(seconds(10));
  for (int ordinal = 3; ordinal < 40; ++ordinal) never_up.insert(fmt::format("web-{}", ordinal));
  never_up.insert("web-1");
  machine("web-1").hangs = true;
  size_t most = 0;
  for (int i = 0; i < 1'200; ++i) {
    step();
    most = std::max(most, machines.size());
    ASSERT_TRUE(machines.contains(InstanceId("web-2"))) << "who serves is left alone";
  }
  EXPECT_LE(most, 3U);
  EXPECT_GE(happened(PoolEventKind::kLaunchFailed), 2U);
  EXPECT_LT(happened(PoolEventKind::kLaunchFailed), 10U) << "with growing pauses";
}

TEST_F(PoolKeeperTest, OneThatTakesTooMuchMemoryIsReplaced) {
  keeping.max_memory_bytes = 100;
  run(seconds(10));
  machine("web-2").memory = 101;
  run(seconds(20));
  EXPECT_FALSE(machines.contains(InstanceId("web-2")));
  EXPECT_EQ(machines.size(), 2U);
}

TEST_F(PoolKeeperTest, AnOperatorMayChooseWithinTheBounds) {
  run(seconds(10));
  EXPECT_FALSE(keeper().scale(1, {}));
  EXPECT_FALSE(keeper().scale(21, {}));
  ASSERT_TRUE(keeper().scale(7, {}));
  step();
  EXPECT_EQ(machines.size(), 7U);
  keeper().pause({});
  run(minutes(30));
  EXPECT_EQ(machines.size(), 7U);
  keeper().resume({});
  run(minutes(5));
  EXPECT_EQ(machines.size(), 2U);
}

TEST_F(PoolKeeperTest, RandomHealthAndLoadNeverLeaveTooFewOrTooMany) {
  uint64_t seed = 42;
  const auto draw = [&seed](uint64_t below) {
    seed = seed * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    return (seed >> 33) % below;
  };
  run(seconds(10));
  for (uint64_t i = 0; i < rounds(20'000); ++i) {
    if (draw(50) == 0) waiting = draw(2) * draw(500);
    if (draw(20) == 0) has_load = draw(10) != 0;
    for (auto& [id, machine] : machines) {
      if (draw(100) == 0) machine.hangs = !machine.hangs;
      machine.in_flight = static_cast<uint32_t>(draw(40));
    }
    const PoolOrders orders = step();
    // Desired, one or a tenth that is being replaced, and those that drain.
    ASSERT_LE(orders.count, 20U + 2U + orders.draining.size());
    ASSERT_GE(orders.count, 2U);
  }
}

}  // namespace
}  // namespace partywall::fleet
