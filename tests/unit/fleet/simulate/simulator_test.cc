#include "fleet/simulate/simulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "fleet/scaling/instances.h"
#include "fleet/simulate/compare.h"
#include "fleet/simulate/report.h"
#include "fleet/simulate/simulated_fleet.h"

namespace partywall::fleet {
namespace {

using testing::HasSubstr;
using testing::Not;

// Requests of one step of 15 s that keep `in_flight` requests in flight.
LoadSeries load_of(std::vector<double> in_flight) {
  LoadSeries load{.name = "test", .step = seconds(15), .requests = std::move(in_flight)};
  for (double& requests : load.requests) requests *= 15 / 0.1;
  return load;
}

SimulationResult run(LoadSeries load, PoolScaling scaling,
                     std::vector<Disruption> disruptions = {}) {
  SimulationInput input{.load = std::move(load), .disruptions = std::move(disruptions)};
  const auto scaler = make_scaler(scaling);
  return simulate(input, "test", *scaler);
}

PoolScaling offered_load() { return *named_pool_scaling("offered-load"); }

TEST(Simulator, ASteadyLoadIsNeverAtRiskAndTheFleetIsWhatItNeeds) {
  const SimulationResult result = run(load_of(std::vector<double>(240, 60)), offered_load());
  EXPECT_DOUBLE_EQ(result.at_risk, 0);
  EXPECT_DOUBLE_EQ(result.failed, 0);
  EXPECT_NEAR(result.requests, 240 * 60 * 15 / 0.1, 1e-3);
  EXPECT_NEAR(result.instance_hours, 5.0, 1e-9) << "five for an hour";
  EXPECT_EQ(result.actions, 0U);
  EXPECT_NEAR(result.p50, 0.0883, 0.01) << "the median of the log-normal service time";
}

TEST(Simulator, AStepIsAtRiskUntilTheNewInstancesAreWarm) {
  std::vector<double> in_flight(40, 60);
  in_flight.resize(240, 180);
  const SimulationResult result = run(load_of(in_flight), offered_load());
  EXPECT_GT(result.at_risk_share(), 0.05);
  EXPECT_GE(result.worst_recovery, 150) << "they boot for 150 s";
  EXPECT_LE(result.worst_recovery, 15 + 150 + 300 + 30);
  EXPECT_GE(result.peak_instances, 15U);
  EXPECT_LE(result.peak_instances, 20U) << "15 for the load, and some for the queue that grew";
}

TEST(Simulator, TooLongAQueueFailsRequestsAndLosesNone) {
  PoolScaling small = offered_load();
  small.bounds = {.min = 1, .max = 1};
  // 40 in flight for one instance of 20: half of the load can never be served.
  const SimulationResult result = run(load_of(std::vector<double>(240, 40)), small);
  const double waiting_at_most = 20 / 0.1 * 30;
  EXPECT_NEAR(result.failed, result.requests / 2 - waiting_at_most, 1);
}

TEST(Simulator, TheSameSeedGivesTheSameRun) {
  SimulationInput input{.load = load_of({60, 60, 300, 300, 60, 300, 60, 60, 400, 400})};
  input.settings.service.boot = seconds(10);
  input.settings.service.boot_spread = seconds(60);
  const auto once = [&] {
    const auto scaler = make_scaler(offered_load());
    return simulate(input, "seeded", *scaler).instance_hours;
  };
  EXPECT_EQ(once(), once());
}

TEST(Simulator, ALostZoneIsLaunchedAgain) {
  const LoadSeries load = load_of(std::vector<double>(400, 120));
  const SimulationResult result =
      run(load, offered_load(), {{.after = minutes(20), .share = 1.0 / 3}});
  EXPECT_GT(result.at_risk, 0);
  EXPECT_LT(result.worst_recovery, 600);
  EXPECT_EQ(result.points.back().instances, 10U);
}

TEST(Simulator, HandlesAnEmptyAndAnIdleTrace) {
  EXPECT_EQ(run(load_of({}), offered_load()).requests, 0);
  const SimulationResult idle = run(load_of(std::vector<double>(100, 0)), offered_load());
  EXPECT_EQ(idle.at_risk, 0);
  EXPECT_EQ(idle.peak_instances, 2U) << "the minimum";
}

// The reference against its definition: for each second, the greatest need within the lead.
TEST(LookAhead, IsTheGreatestNeedWithinTheLead) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SeededRandom random(seed);
    SimulationInput input;
    input.settings.service.boot = seconds(random.below(60));
    input.settings.service.slow_start = seconds(random.below(100));
    std::vector<double> in_flight(1 + random.below(40));
    for (double& value : in_flight) value = static_cast<double>(random.below(200));
    input.load = load_of(in_flight);
    const auto lead =
        static_cast<size_t>(std::chrono::duration_cast<seconds>(input.settings.lead()).count());
    double instance_seconds = 0;
    const size_t length = in_flight.size() * 15;
    for (size_t second = 0; second < length; ++second) {
      uint32_t most = 3;
      // The need of each second that begins within the lead; the end of this second counts too.
      for (size_t then = second; then < std::min(length, second + 1 + lead); ++then) {
        most = std::max(most, whole_instances(in_flight[then / 15] / input.settings.target_load()));
      }
      instance_seconds += most;
    }
    EXPECT_NEAR(look_ahead_hours(input, 3), instance_seconds / 3600, 1e-6) << "seed " << seed;
  }
}

TEST(SimulatedFleet, WarmsUpBesideThoseThatAreWarm) {
  SeededRandom random(1);
  const ServiceModel model;
  SimulatedFleet fleet(model, random);
  fleet.start_with(2);
  const MonotonicTime start{};
  fleet.scale_to(4, start);
  EXPECT_EQ(fleet.next_ready(), start + seconds(150));
  fleet.advance(start + seconds(150));
  EXPECT_EQ(fleet.ready(), 4U);
  EXPECT_DOUBLE_EQ(fleet.weight(start + seconds(150)), 2 + 2 * 0.1);
  EXPECT_DOUBLE_EQ(fleet.weight(start + seconds(300)), 2 + 2 * 0.5);
  fleet.advance(start + seconds(450));
  EXPECT_DOUBLE_EQ(fleet.weight(start + seconds(450)), 4);
}

TEST(SimulatedFleet, WithoutAWarmOneAllAreAtFullWeight) {
  SeededRandom random(1);
  const ServiceModel model;
  SimulatedFleet fleet(model, random);
  fleet.scale_to(3, MonotonicTime{});
  fleet.advance(MonotonicTime{} + seconds(150));
  EXPECT_DOUBLE_EQ(fleet.weight(MonotonicTime{} + seconds(150)), 3);
}

TEST(SimulatedFleet, TakesAwayTheNewestFirst) {
  SeededRandom random(1);
  const ServiceModel model;
  SimulatedFleet fleet(model, random);
  fleet.start_with(2);
  fleet.scale_to(5, MonotonicTime{});
  fleet.scale_to(3, MonotonicTime{} + seconds(10));
  EXPECT_EQ(fleet.ready(), 2U);
  EXPECT_EQ(fleet.launched(), 3U);
  fleet.scale_to(1, MonotonicTime{} + seconds(10));
  EXPECT_EQ(fleet.ready(), 1U);
  EXPECT_EQ(fleet.next_ready(), MonotonicTime::max());
}

TEST(WhatIf, SpikesAndMultipliesTheLoad) {
  const LoadSeries load = load_of({1, 1, 1, 1});
  const LoadSeries spiked = apply(
      {.load_factor = 2, .spike_factor = 10, .spike_at = seconds(15), .spike_length = seconds(30)},
      load);
  EXPECT_DOUBLE_EQ(spiked.requests[0], 2 * load.requests[0]);
  EXPECT_DOUBLE_EQ(spiked.requests[1], 20 * load.requests[0]);
  EXPECT_DOUBLE_EQ(spiked.requests[2], 20 * load.requests[0]);
  EXPECT_DOUBLE_EQ(spiked.requests[3], 2 * load.requests[0]);
}

TEST(Report, EscapesWhatItIsGiven) {
  SimulationResult result{.policy = "<script>alert(1)</script>"};
  const std::string html = html_report("a & b", {result});
  EXPECT_THAT(html, Not(HasSubstr("<script>")));
  EXPECT_THAT(html, HasSubstr("a &amp; b"));
  EXPECT_THAT(text_report({result}), HasSubstr("at risk"));
}

}  // namespace
}  // namespace partywall::fleet
