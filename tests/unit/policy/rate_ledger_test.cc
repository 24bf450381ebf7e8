#include "policy/rate_ledger.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

constexpr int64_t kStart = 1'700'000'000'000'000;
constexpr int64_t kSecond = 1'000'000;

// One token each 100 ms, ten at once.
constexpr RateLimit kLimit{600, minutes(1), 10};

class RateLedgerTest : public testing::Test {
 protected:
  RateLedger::Answer want(const std::string& node, int64_t tokens, int64_t held = 0,
                          int64_t returned = 0) {
    return ledger_.call(kLimit,
                        {.node = node,
                         .sequence = ++sequence_,
                         .held = held,
                         .returned = returned,
                         .wanted = tokens},
                        now_);
  }

  RateLedger ledger_;
  int64_t now_ = kStart;
  uint64_t sequence_ = 0;
};

TEST_F(RateLedgerTest, GrantsUpToTheBurstAndSaysWhenThereIsMore) {
  EXPECT_EQ(want("a", 7), (RateLedger::Answer{.granted = 7, .remaining = 3, .reset_us = 700'000}));
  EXPECT_EQ(want("b", 7),
            (RateLedger::Answer{.granted = 3, .wait_us = 100'000, .reset_us = kSecond}));
  EXPECT_EQ(want("b", 1, 3),
            (RateLedger::Answer{.granted = 0, .wait_us = 100'000, .reset_us = kSecond}));
}

TEST_F(RateLedgerTest, WhatIsReturnedIsThereForOthers) {
  want("a", 10);
  EXPECT_EQ(want("a", 0, 2, 5).remaining, 5);
  EXPECT_EQ(want("b", 10).granted, 5);
}

TEST_F(RateLedgerTest, NobodyReturnsMoreThanHeWasLent) {
  want("a", 2);
  EXPECT_EQ(want("a", 0, 0, 1'000).remaining, 10);
  EXPECT_EQ(want("b", 0, 0, 1'000).remaining, 10);
  EXPECT_EQ(want("b", 100).granted, 10);
}

TEST_F(RateLedgerTest, LentTokensLeaveNoRoomForOthersWhileTheyMayBeUsed) {
  want("a", 6);
  now_ += kSecond;  // would have filled it
  EXPECT_EQ(want("b", 10).granted, 4);
}

TEST_F(RateLedgerTest, LentTokensThatAreUsedMakeRoom) {
  want("a", 6);
  want("a", 0, 0);  // all used
  now_ += kSecond;
  EXPECT_EQ(want("b", 10).granted, 10);
}

TEST_F(RateLedgerTest, WhatACrashedNodeWasLentIsVoidAfterAWhile) {
  want("a", 6);
  now_ += RateLedger::Call().lent_for_us + kSecond;
  EXPECT_EQ(want("b", 10).granted, 10);
}

TEST_F(RateLedgerTest, WhatIsReturnedTooLateIsGone) {
  want("a", 6);
  now_ += RateLedger::Call().lent_for_us;
  EXPECT_EQ(want("b", 4).granted, 4);
  EXPECT_EQ(want("a", 10, 0, 6).granted, 0);
}

TEST_F(RateLedgerTest, ACallThatWasOvertakenIsVoid) {
  ledger_.call(kLimit, {.node = "a", .sequence = 5, .wanted = 1}, now_);
  EXPECT_EQ(ledger_.call(kLimit, {.node = "a", .sequence = 4, .wanted = 1}, now_),
            RateLedger::Answer());
  EXPECT_EQ(
      ledger_.call(kLimit, {.node = "a", .sequence = 6, .held = 1, .wanted = 9}, now_).granted, 9);
}

TEST_F(RateLedgerTest, ANewEpochBeginsEmptyButForWhatTheNodesHadLeft) {
  want("a", 1);
  now_ += 10 * kSecond;
  const int64_t epoch = now_;
  const auto call = [&](const std::string& node, int64_t deposit) {
    return ledger_.call(kLimit,
                        {.node = node,
                         .sequence = ++sequence_,
                         .wanted = 10,
                         .epoch_us = epoch,
                         .deposit = deposit},
                        now_);
  };
  EXPECT_EQ(call("a", 0).granted, 0);
  EXPECT_EQ(call("b", 3).granted, 3);
  now_ += kSecond;
  EXPECT_EQ(call("a", 0).granted, 7);  // three are still with b
}

TEST_F(RateLedgerTest, AnEpochThatHasNotBegunGrantsNothing) {
  const RateLedger::Call early{
      .node = "a", .sequence = 1, .wanted = 1, .epoch_us = now_ + kSecond / 2};
  EXPECT_EQ(ledger_.call(kLimit, early, now_).granted, 0);
}

TEST_F(RateLedgerTest, ADebtOfASlowerLimitIsForgiven) {
  ledger_.call({1, hours(1), 5}, {.node = "a", .sequence = 1, .wanted = 5}, now_);
  ledger_.call({1, hours(1), 5}, {.node = "a", .sequence = 2}, now_);
  const auto answer = want("b", 1);
  EXPECT_LE(answer.wait_us, kSecond);
}

}  // namespace
}  // namespace partywall
