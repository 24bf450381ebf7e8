#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/scaling/alarm_policy.h"
#include "fleet/scaling/schedule_policy.h"
#include "fleet/scaling/target_tracking.h"

namespace partywall::fleet {
namespace {

// What a policy sees: time goes on by a step, each signal has one value in it.
class Scene {
 public:
  Recommendation next(ScalingPolicy& policy,
                      std::initializer_list<std::pair<SignalId, double>> values,
                      Duration step = seconds(15)) {
    now_ += step;
    for (const auto& [signal, value] : values) signals_.add(signal, now_, value);
    const Recommendation result =
        policy.recommend({.now = now_, .wall = wall_, .capacity = capacity, .signals = signals_});
    if (result.count) policy.decided(now_, capacity.desired, *result.count);
    return result;
  }

  PoolCapacity capacity{.desired = 10, .ready = 10, .ready_weight = 10};

 private:
  PoolSignals signals_;
  MonotonicTime now_{};
  WallTime wall_{};
};

TEST(TargetTracking, BringsATotalToItsTarget) {
  Scene scene;
  TargetTracking policy({.target = 12});
  EXPECT_EQ(scene.next(policy, {{kOfferedLoad, 150}}).count, 13U);
  EXPECT_EQ(scene.next(policy, {{kOfferedLoad, 60}}).count, 5U);
}

TEST(TargetTracking, LeavesAloneWhatIsWithinTheTolerance) {
  Scene scene;
  TargetTracking policy({.target = 12});
  for (const double load : {108.5, 120.0, 131.5}) {
    const Recommendation result = scene.next(policy, {{kOfferedLoad, load}});
    EXPECT_EQ(result.count, 10U);
    EXPECT_EQ(result.reason, RecommendationReason::kOnTarget);
  }
}

TEST(TargetTracking, AMeanCountsTheWeightThatIsReady) {
  Scene scene;
  // Five of ten still start: 90 % of a weight of 5.5 is what 8.25 instances do at 60 %.
  scene.capacity = {.desired = 10, .ready = 10, .ready_weight = 5.5};
  TargetTracking policy({.signal = kCpu, .shape = SignalShape::kMean, .target = 0.6});
  EXPECT_EQ(scene.next(policy, {{kCpu, 0.9}}).count, 9U);
}

TEST(TargetTracking, MissingAndStaleDataForbidScalingIn) {
  Scene scene;
  TargetTracking policy({.target = 12});
  const Recommendation missing = scene.next(policy, {});
  EXPECT_FALSE(missing.count);
  EXPECT_FALSE(missing.may_scale_in);
  EXPECT_TRUE(scene.next(policy, {{kOfferedLoad, 1}}).count);
  const Recommendation stale = scene.next(policy, {}, seconds(61));
  EXPECT_FALSE(stale.count);
  EXPECT_FALSE(stale.may_scale_in);
}

TEST(TargetTracking, PanicsWhenAShortWindowNeedsTwiceWhatIsReady) {
  Scene scene;
  TargetTracking policy({.target = 12, .window = seconds(60), .panic = PanicSettings{}});
  for (int i = 0; i < 10; ++i) scene.next(policy, {{kOfferedLoad, 120}}, seconds(6));
  const Recommendation sudden = scene.next(policy, {{kOfferedLoad, 480}}, seconds(6));
  EXPECT_EQ(sudden.reason, RecommendationReason::kPanic);
  EXPECT_EQ(sudden.count, 40U);
  const Recommendation after = scene.next(policy, {{kOfferedLoad, 120}}, seconds(6));
  EXPECT_FALSE(after.may_scale_in) << "no scaling in for 60 s after a panic";
}

TEST(Adjustments, AreRoundedAsAwsDoes) {
  const auto percent = [](int amount, uint32_t least = 1) {
    return Adjustment{AdjustmentType::kPercentChangeInCapacity, amount, least};
  };
  EXPECT_EQ(adjusted(10, {AdjustmentType::kChangeInCapacity, 3}), 13U);
  EXPECT_EQ(adjusted(2, {AdjustmentType::kChangeInCapacity, -3}), 0U);
  EXPECT_EQ(adjusted(10, {AdjustmentType::kExactCapacity, 4}), 4U);
  EXPECT_EQ(adjusted(10, percent(27)), 12U) << "2.7 is rounded down";
  EXPECT_EQ(adjusted(2, percent(20)), 3U) << "0.4 is rounded up to 1";
  EXPECT_EQ(adjusted(10, percent(-27)), 8U);
  EXPECT_EQ(adjusted(10, percent(10, 4)), 14U) << "MinAdjustmentMagnitude";
}

TEST(AlarmPolicy, CaseAAddsTwoAfterTwoMinutesAndThenCoolsDown) {
  Scene scene;
  AlarmPolicy policy(simple_scaling_of_case_a());
  const auto minute = [&](double cpu) {
    return scene.next(policy, {{kCpu, cpu}, {kMemory, 0.5}, {kLatency, 0.1}}, seconds(60));
  };
  minute(0.9);  // the first period begins
  EXPECT_EQ(minute(0.9).count, 10U);
  EXPECT_EQ(minute(0.9).count, 12U);
  for (int i = 0; i < 4; ++i) {
    const Recommendation cooling = minute(0.9);
    EXPECT_EQ(cooling.count, 10U);
    EXPECT_EQ(cooling.reason, RecommendationReason::kCooldown);
  }
  EXPECT_EQ(minute(0.9).count, 12U) << "after 300 s";
}

TEST(AlarmPolicy, ScalesInAfterTenQuietMinutes) {
  Scene scene;
  AlarmPolicy policy(simple_scaling_of_case_a());
  const auto minute = [&](double latency) {
    return scene.next(policy, {{kCpu, 0.2}, {kMemory, 0.5}, {kLatency, latency}}, seconds(60));
  };
  minute(0.1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(minute(0.1).count, 10U);
  EXPECT_EQ(minute(0.6).count, 10U) << "one loud minute, and the ten begin again";
  for (int i = 0; i < 9; ++i) EXPECT_EQ(minute(0.1).count, 10U) << i;
  EXPECT_EQ(minute(0.1).count, 9U);
}

TEST(AlarmPolicy, WithoutOneOfItsSignalsItNeverScalesIn) {
  Scene scene;
  AlarmPolicy policy(simple_scaling_of_case_a());
  for (int i = 0; i < 20; ++i) {
    const Recommendation result = scene.next(policy, {{kCpu, 0.1}}, seconds(60));
    EXPECT_NE(result.count, 9U);
  }
}

TEST(Schedule, HoldsOnItsDaysAndOverMidnight) {
  using std::chrono::sys_days;
  using namespace std::chrono_literals;
  const WallTime monday = sys_days(2024y / 1 / 1);
  const ScheduleEntry office{.weekdays = 0x1f, .from = 8h, .to = 18h, .count = 6};
  EXPECT_FALSE(in_force(office, monday + 7h + 59min));
  EXPECT_TRUE(in_force(office, monday + 8h));
  EXPECT_FALSE(in_force(office, monday + 18h));
  EXPECT_FALSE(in_force(office, monday + 5 * 24h + 12h)) << "Saturday";
  const ScheduleEntry friday_night{.weekdays = 0x10, .from = 22h, .to = 2h, .count = 6};
  EXPECT_TRUE(in_force(friday_night, monday + 4 * 24h + 23h));
  EXPECT_TRUE(in_force(friday_night, monday + 5 * 24h + 1h)) << "Saturday morning";
  EXPECT_FALSE(in_force(friday_night, monday + 4 * 24h + 1h)) << "Friday morning";
}

TEST(Schedule, CountsAheadOfItsTimeAndNeverScalesIn) {
  using namespace std::chrono_literals;
  SchedulePolicy policy("schedule", {{.from = 8h, .to = 9h, .count = 6}}, minutes(10));
  const PoolSignals signals;
  const auto at = [&](Duration time) {
    return policy
        .recommend(
            {.wall = WallTime(std::chrono::duration_cast<milliseconds>(time)), .signals = signals})
        .count;
  };
  EXPECT_EQ(at(7h + 49min), std::nullopt);
  EXPECT_EQ(at(7h + 50min), 6U);
  EXPECT_EQ(at(8h + 59min), 6U);
  EXPECT_EQ(at(9h), std::nullopt);
}

}  // namespace
}  // namespace partywall::fleet
