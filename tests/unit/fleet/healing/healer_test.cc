#include "fleet/healing/healer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/termination.h"

namespace partywall::fleet {
namespace {

using State = InstanceHealth::State;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<InstanceHealth> pool_of(size_t healthy, size_t unhealthy) {
  std::vector<InstanceHealth> pool;
  for (size_t i = 0; i < healthy + unhealthy; ++i) {
    pool.push_back({InstanceId(fmt::format("web-{:03}", i)),
                    i < unhealthy ? State::kUnhealthy : State::kHealthy});
  }
  return pool;
}

TEST(Healer, ReplacesOneAtATimeInASmallPool) {
  Healer healer({});
  const auto pool = pool_of(5, 2);
  EXPECT_THAT(healer.decide({}, pool).replace, ElementsAre(InstanceId("web-000")));
  EXPECT_THAT(healer.decide({}, pool).replace, IsEmpty()) << "the first is under way";
  healer.replaced(InstanceId("web-000"));
  EXPECT_THAT(healer.decide({}, pool_of(5, 2)).replace, SizeIs(1));
}

TEST(Healer, ReplacesATenthOfALargePoolAtATime) {
  Healer healer({});
  EXPECT_THAT(healer.decide({}, pool_of(40, 10)).replace, SizeIs(5));
}

TEST(Healer, BrakesWhenManyAreUnhealthyTogether) {
  Healer healer({});
  const HealingDecision decision = healer.decide({}, pool_of(3, 3));
  EXPECT_TRUE(decision.braked);
  EXPECT_THAT(decision.replace, IsEmpty());
  EXPECT_FALSE(healer.decide({}, pool_of(5, 1)).braked);
}

TEST(Healer, TwoOfTwoAreTooFewForTheBrake) {
  Healer healer({});
  EXPECT_THAT(healer.decide({}, pool_of(0, 2)).replace, SizeIs(1));
}

TEST(Healer, PausesLongerAfterEachFailedLaunch) {
  Healer healer({.first_pause = seconds(10), .longest_pause = seconds(30)});
  const auto pool = pool_of(9, 1);
  MonotonicTime now{};
  for (const Duration pause : {seconds(10), seconds(20), seconds(30), seconds(30)}) {
    ASSERT_THAT(healer.decide(now, pool).replace, SizeIs(1));
    healer.launch_failed(InstanceId("web-000"), now);
    EXPECT_THAT(healer.decide(now + pause - seconds(1), pool).replace, IsEmpty());
    now += pause;
  }
  ASSERT_THAT(healer.decide(now, pool).replace, SizeIs(1));
  healer.replaced(InstanceId("web-000"));
  EXPECT_THAT(healer.decide(now, pool).replace, SizeIs(1)) << "a success ends the pauses";
}

TEST(Healer, ForgetsAReplacementWhoseInstanceIsGone) {
  Healer healer({});
  ASSERT_THAT(healer.decide({}, pool_of(5, 1)).replace, SizeIs(1));
  EXPECT_THAT(healer.decide({}, pool_of(5, 0)).replace, IsEmpty());
  auto others = pool_of(5, 1);
  others.erase(others.begin());
  healer.decide({}, others);
  EXPECT_EQ(healer.replacing(), 0U);
}

TerminationCandidate candidate(std::string id, InstanceCondition condition, InstanceVersion version,
                               std::string zone, uint32_t requests) {
  return {.id = InstanceId(std::move(id)),
          .condition = condition,
          .version = version,
          .zone = std::move(zone),
          .requests_in_flight = requests};
}

TEST(Termination, UnhealthyThenStartingThenOldThenTheFullestZoneThenTheLeastBusy) {
  using enum InstanceCondition;
  using enum InstanceVersion;
  const std::vector<TerminationCandidate> pool = {candidate("busy", kHealthy, kCurrent, "a", 9),
                                                  candidate("idle", kHealthy, kCurrent, "a", 1),
                                                  candidate("other", kHealthy, kCurrent, "b", 0),
                                                  candidate("old", kHealthy, kOld, "b", 9),
                                                  candidate("new", kStarting, kCurrent, "b", 0),
                                                  candidate("sick", kUnhealthy, kCurrent, "b", 9)};
  EXPECT_THAT(choose_victims(pool, 5),
              ElementsAre(InstanceId("sick"), InstanceId("new"), InstanceId("old"),
                          InstanceId("idle"), InstanceId("other")));
}

TEST(Termination, NeverNamesAProtectedOne) {
  std::vector<TerminationCandidate> pool = {
      candidate("a", InstanceCondition::kUnhealthy, InstanceVersion::kOld, "z", 0),
      candidate("b", InstanceCondition::kHealthy, InstanceVersion::kCurrent, "z", 0)};
  pool[0].protection = ScaleInProtection::kProtected;
  EXPECT_THAT(choose_victims(pool, 2), ElementsAre(InstanceId("b")));
}

}  // namespace
}  // namespace partywall::fleet
