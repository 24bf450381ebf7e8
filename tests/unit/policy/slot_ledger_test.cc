#include "policy/slot_ledger.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

class SlotLedgerTest : public testing::Test {
 protected:
  SlotLedger::Answer want(const std::string& node, int64_t slots, int64_t in_use = 0) {
    return ledger_.call(
        5, {.node = node, .sequence = ++sequence_, .in_use = in_use, .wanted = slots}, now_);
  }

  SlotLedger ledger_;
  int64_t now_ = 1'700'000'000'000'000;
  uint64_t sequence_ = 0;
};

TEST_F(SlotLedgerTest, NodesTogetherGetNoMoreThanTheLimit) {
  EXPECT_EQ(want("a", 3), (SlotLedger::Answer{.granted = 3}));
  EXPECT_EQ(want("b", 3), (SlotLedger::Answer{.granted = 2, .scarce = 1}));
  EXPECT_EQ(want("c", 1), (SlotLedger::Answer{.granted = 0, .scarce = 1}));
}

TEST_F(SlotLedgerTest, WhoHasMoreThanHeUsesIsToldWhenOthersNeedThem) {
  want("a", 5, 1);
  want("b", 1);
  EXPECT_EQ(want("a", 5, 1).scarce, 1);
  EXPECT_EQ(want("a", 1, 1).granted, 1);
  EXPECT_EQ(want("b", 2).granted, 2);
  now_ += SlotLedger::kScarceForUs;
  EXPECT_EQ(want("a", 1, 1).scarce, 0);
}

TEST_F(SlotLedgerTest, WorkThatIsUnderWayIsNeverDenied) {
  want("a", 5);
  EXPECT_EQ(want("b", 2, 2).granted, 2);
  EXPECT_EQ(ledger_.call(1, {.node = "a", .sequence = ++sequence_, .in_use = 4, .wanted = 5}, now_)
                .granted,
            4);
}

TEST_F(SlotLedgerTest, ACrashedNodesSlotsAreFreeAfterAWhile) {
  want("a", 5, 5);
  now_ += SlotLedger::kLentForUs - 1;
  EXPECT_EQ(want("b", 5).granted, 0);
  now_ += 1;
  EXPECT_EQ(want("b", 5).granted, 5);
}

TEST_F(SlotLedgerTest, ACallThatWasOvertakenIsVoid) {
  ledger_.call(5, {.node = "a", .sequence = 2, .wanted = 1}, now_);
  EXPECT_EQ(ledger_.call(5, {.node = "a", .sequence = 1, .wanted = 5}, now_).granted, -1);
  EXPECT_EQ(want("b", 4).granted, 4);
}

}  // namespace
}  // namespace partywall
