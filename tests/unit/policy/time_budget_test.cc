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

TEST(TimeBudget, ASecondOfASecondIsNoLimit) {
  TimeBudget budget;
  budget.charge(hours(1), seconds(1), at(seconds(5)));
  EXPECT_EQ(budget.wait(at(seconds(5))), Duration(0));
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
