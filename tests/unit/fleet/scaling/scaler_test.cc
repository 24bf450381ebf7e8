#include "fleet/scaling/scaler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "unit/fleet/scaling/scripted_policy.h"

namespace partywall::fleet {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;

// A scaler with one scripted policy, whose decisions are carried out at once.
class ScalerTest : public testing::Test {
 protected:
  Scaler& make(ScalerSettings settings, uint32_t desired) {
    auto policy = std::make_unique<ScriptedPolicy>(desired);
    policy_ = policy.get();
    std::vector<std::unique_ptr<ScalingPolicy>> policies;
    policies.push_back(std::move(policy));
    scaler_.emplace(settings, std::move(policies));
    desired_ = desired;
    return *scaler_;
  }

  ScalingDecision ask(uint32_t count, Duration later = seconds(15)) {
    policy_->next = {.count = count, .reason = RecommendationReason::kAboveTarget};
    return decide(later);
  }

  ScalingDecision decide(Duration later = seconds(15)) {
    now_ += later;
    const ScalingDecision decision =
        scaler_->decide({.now = now_,
                         .capacity = {.desired = desired_,
                                      .ready = desired_,
                                      .ready_weight = static_cast<double>(desired_)},
                         .signals = signals_});
    desired_ = decision.count;
    return decision;
  }

  PoolSignals signals_;
  ScriptedPolicy* policy_ = nullptr;
  std::optional<Scaler> scaler_;
  uint32_t desired_ = 0;
  MonotonicTime now_{};
};

TEST_F(ScalerTest, GrowsAtOnceAndShrinksAfterTheDownWindow) {
  make({.min = 1, .max = 100}, 10);
  EXPECT_EQ(ask(14).count, 14U);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(6).count, 14U) << i;  // 300 s
  EXPECT_EQ(ask(6).count, 6U);
}

TEST_F(ScalerTest, WhatAnEarlierLeaderDecidedCountsForTheDownWindow) {
  make({.min = 1, .max = 100}, 50);
  const ScalingDecision first = ask(5);
  EXPECT_EQ(first.count, 50U);
  EXPECT_THAT(first.held_back, Contains(Field(&HoldBack::rule, HoldBackRule::kStabilisation)));
}

TEST_F(ScalerTest, UpWindowTakesTheLeastAskedFor) {
  make({.min = 1, .max = 100, .up = {.stabilisation = seconds(60)}}, 10);
  EXPECT_EQ(ask(20).count, 10U);
  EXPECT_EQ(ask(30).count, 10U);
  EXPECT_EQ(ask(13).count, 10U);
  EXPECT_EQ(ask(30).count, 10U);
  EXPECT_EQ(ask(30).count, 13U);  // what was there at first is older than 60 s
}

TEST_F(ScalerTest, GrowsByFourOrDoublesInEachPeriod) {
  make({.min = 1, .max = 1'000}, 2);
  EXPECT_EQ(ask(500).count, 6U);
  EXPECT_EQ(ask(500).count, 12U);
  EXPECT_EQ(ask(500, seconds(5)).count, 12U) << "the period is not over";
  EXPECT_EQ(ask(500, seconds(10)).count, 24U);
}

TEST_F(ScalerTest, SmallerOfTheTwoRatesIfTold) {
  make({.min = 1,
        .max = 1'000,
        .up = {.rate = {.instances = 4, .percent = 10}, .select = RateSelect::kSmaller}},
       20);
  EXPECT_EQ(ask(100).count, 22U);
}

TEST_F(ScalerTest, ADisabledDirectionStaysWhereItIs) {
  make({.min = 1, .max = 100, .down = {.select = RateSelect::kDisabled}}, 10);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(1, minutes(10)).count, 10U);
  EXPECT_EQ(ask(12).count, 12U);
}

TEST_F(ScalerTest, BoundsHoldAgainstPoliciesAndAgainstTheRates) {
  make({.min = 5, .max = 8}, 1);
  EXPECT_EQ(ask(0).count, 5U);
  EXPECT_EQ(ask(100).count, 8U);
  desired_ = 30;  // somebody lowered the maximum
  EXPECT_EQ(ask(30).count, 8U);
}

TEST_F(ScalerTest, PausedDecidesAndChangesNothing) {
  make({.min = 1, .max = 100}, 10).pause();
  const ScalingDecision decision = ask(14);
  EXPECT_EQ(decision.count, 10U);
  EXPECT_THAT(decision.held_back, Contains(Field(&HoldBack::rule, HoldBackRule::kPaused)));
  scaler_->resume();
  EXPECT_EQ(ask(14).count, 14U);
}

TEST_F(ScalerTest, NoOpinionChangesNothing) {
  make({.min = 1, .max = 100}, 10);
  policy_->next = {.reason = RecommendationReason::kNoData, .may_scale_in = false};
  EXPECT_EQ(decide().count, 10U);
}

TEST_F(ScalerTest, ExplainsWhatEachPolicySaidAndWhatHeldItBack) {
  make({.min = 1, .max = 12}, 10);
  policy_->next = {
      .count = 16, .reason = RecommendationReason::kAboveTarget, .value = 220, .target = 14};
  const ScalingDecision decision = decide();
  const std::string text = scaler_->explain(decision);
  EXPECT_THAT(text, HasSubstr("10 -> 12"));
  EXPECT_THAT(text, HasSubstr("scripted: 16, above target (sees 220, target 14)"));
  EXPECT_THAT(text, HasSubstr("maximum of the pool: 16 -> 12"));
}

TEST_F(ScalerTest, RefusesBoundsThatExcludeEachOther) {
  EXPECT_THROW(make({.min = 3, .max = 2}, 2), std::invalid_argument);
}

// Whatever the policies say: bounds hold, and without sight nothing shrinks.
TEST(ScalerProperty, NeverOutOfBoundsAndNeverFewerWithoutData) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SeededRandom random(seed);
    ScalerSettings settings;
    settings.min = static_cast<uint32_t>(random.below(5));
    settings.max = settings.min + 1 + static_cast<uint32_t>(random.below(60));
    settings.down.stabilisation = seconds(random.below(400));
    settings.up.stabilisation = seconds(random.below(60));
    std::vector<std::unique_ptr<ScalingPolicy>> policies;
    std::vector<ScriptedPolicy*> scripted;
    for (uint64_t i = 0; i <= random.below(3); ++i) {
      auto policy = std::make_unique<ScriptedPolicy>(std::nullopt);
      scripted.push_back(policy.get());
      policies.push_back(std::move(policy));
    }
    Scaler scaler(settings, std::move(policies));
    const PoolSignals signals;
    MonotonicTime now{};
    uint32_t desired = settings.min;
    for (int step = 0; step < 100; ++step) {
      bool blind = false;
      for (ScriptedPolicy* policy : scripted) {
        policy->next = {};
        if (random.below(3) > 0) policy->next.count = static_cast<uint32_t>(random.below(100));
        policy->next.may_scale_in = random.below(4) > 0;
        blind = blind || !policy->next.may_scale_in;
      }
      now += seconds(1 + random.below(60));
      const uint32_t before = desired;
      desired =
          scaler.decide({.now = now, .capacity = {.desired = desired}, .signals = signals}).count;
      ASSERT_GE(desired, settings.min) << "seed " << seed;
      ASSERT_LE(desired, settings.max) << "seed " << seed;
      if (blind) ASSERT_GE(desired, std::min(before, settings.max)) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace partywall::fleet
