#include "policy/time_budget.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

constexpr Duration kTenth = milliseconds(100);

MonotonicTime at(Duration since) { return MonotonicTime(since); }

TEST(TimeBudget, WhoHasUsedNothingMayBegin) {
  const TimeBudget budget;
  EXPECT_EQ(budget.wait(at(seconds(0))), Duration(0));
  EXPECT_FALSE(budget.uses_much(at(seconds(0))));
}

TEST(TimeBudget, WhatIsGrantedInAWindowMayBeUsedAtOnce) {
  TimeBudget budget;
  budget.charge(milliseconds(100), kTenth, at(seconds(5)));
  EXPECT_EQ(budget.wait(at(seconds(5))), Duration(0));
  EXPECT_TRUE(budget.uses_much(at(seconds(5))));
  budget.charge(milliseconds(10), kTenth, at(seconds(5)));
  EXPECT_EQ(budget.wait(at(seconds(5))), milliseconds(100));
  EXPECT_EQ(budget.wait(at(seconds(5) + milliseconds(60))), milliseconds(40));
  EXPECT_EQ(budget.wait(at(seconds(6))), Duration(0));
  EXPECT_FALSE(budget.uses_much(at(seconds(7))));
}

// As many things may go on at once as there are connections: more than a second in a second.
TEST(TimeBudget, TheWindowAndTheLongestWaitAreTheOwners) {
  TimeBudget budget(hours(1), hours(2));
  budget.charge(minutes(2), minutes(2), at(seconds(5)));
  EXPECT_EQ(budget.owed(minutes(2), at(seconds(5))), minutes(2));
  EXPECT_EQ(budget.wait(at(seconds(5))), Duration(0));
  budget.charge(minutes(1), minutes(2), at(seconds(5)));
  EXPECT_EQ(budget.wait(at(seconds(5))), minutes(30));
  EXPECT_EQ(budget.wait(at(seconds(5) + minutes(10))), minutes(20));
  EXPECT_EQ(budget.owed(minutes(2), at(seconds(5) + minutes(30))), minutes(2));
  budget.charge(hours(1'000), minutes(2), at(seconds(5)));
  EXPECT_EQ(budget.wait(at(seconds(5))), hours(2));
  EXPECT_EQ(budget.owed(minutes(2), at(hours(9))), Duration(0));
}

TEST(TimeBudget, MoreThanTheWholeWindowMayBeGranted) {
  TimeBudget budget(hours(1), hours(2));
  budget.charge(hours(300'000), seconds(1'000'000'000), at(seconds(5)));
  EXPECT_NEAR(static_cast<double>(budget.wait(at(seconds(5))) / milliseconds(1)), 288'000, 1);
  const Duration owed = budget.owed(seconds(1'000'000'000), at(seconds(5)));
  EXPECT_NEAR(static_cast<double>(owed / hours(1)), 300'000, 1);
}

TEST(TimeBudget, NobodyIsLockedOutForLongerThanAMinute) {
  TimeBudget budget;
  budget.charge(hours(1'000'000), milliseconds(1), at(seconds(5)));
  budget.charge(hours(1'000'000), milliseconds(1), at(seconds(5)));
  EXPECT_EQ(budget.wait(at(seconds(5))), TimeBudget::kLongestWait);
}

TEST(TimeBudget, OverAnyTimeTheUseIsWithinTheGrantAndOneThing) {
  TimeBudget budget;
  Duration used{};
  MonotonicTime now = at(seconds(100));
  const MonotonicTime end = now + seconds(60);
  while (now < end) {
    if (budget.wait(now) == Duration(0)) {
      used += milliseconds(30);
      budget.charge(milliseconds(30), kTenth, now);
    }
    now += milliseconds(1);
  }
  EXPECT_LE(used, milliseconds(6'100 + 30));
  EXPECT_GE(used, seconds(6));
}

}  // namespace
}  // namespace partywall
