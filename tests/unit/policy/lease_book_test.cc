#include "policy/lease_book.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

// A node, and what the store would answer given by hand.
class LeaseBookTest : public testing::Test, public LimitAsks {
 protected:
  LeaseBookTest() {
    tenant.id = TenantId(Uuid::from_halves(1, 1));
    tenant.number = TenantNumber(1);
    tenant.limits.api_rate = {10'000, minutes(1), 200};
    tenant.limits.max_concurrent_requests = 8;
    desk.set_number(5);
    book.connected();
    book.open({}, now);
  }
  void ask(const LimitAsk& ask) override { book.ask(ask, now); }

  RateDecision admit() { return desk.admit(tenant, LimitKind::kHttpRate, now); }
  LimitDesk::Acquired acquire() {
    return desk.acquire(ask_about(tenant, LimitKind::kHttpRequests), now);
  }
  // The only call that is due.
  LeaseBook::Call call() {
    const auto calls = book.take_calls(now);
    EXPECT_EQ(calls.size(), 1U);
    return calls.empty() ? LeaseBook::Call() : calls.front();
  }
  RateLedger::Call rate_call() { return std::get<RateLedger::Call>(call().call); }
  SlotLedger::Call slot_call() { return std::get<SlotLedger::Call>(call().call); }
  void answer(LimitKind kind, const LeaseBook::Answer& with) {
    book.answered(uint64_t{1} << 8 | static_cast<uint64_t>(kind), with, now);
  }
  void lend(int64_t tokens) {
    answer(LimitKind::kHttpRate, RateLedger::Answer{.granted = tokens, .remaining = 100});
  }

  MonotonicTime now{hours(1)};
  TenantStates states;
  SharedLimits shared{2, now};
  LeaseBook book{"node", states, shared};
  LimitDesk desk{states, shared, *this};
  Tenant tenant;
};

struct CountingWaiter final : LimitWaiter {
  void limit_answered() override { ++answers; }
  int answers = 0;
};

TEST(LeaseSize, IsWhatTheRateYieldsInATenthOfASecond) {
  EXPECT_EQ(lease_size({100, minutes(1), 10}, 1), 1U);
  EXPECT_EQ(lease_size({1'000, minutes(1), 50}, 1), 2U);
  EXPECT_EQ(lease_size({10'000, minutes(1), 200}, 1), 17U);
  EXPECT_EQ(lease_size({100'000, seconds(1), 100'000}, 1), 10'000U);
}

TEST(LeaseSize, LeavesMostOfTheBurstToOthers) {
  EXPECT_EQ(lease_size({10'000, minutes(1), 200}, 16), 6U);
  EXPECT_EQ(lease_size({10'000, minutes(1), 1}, 16), 1U);
}

TEST_F(LeaseBookTest, TheFirstRequestWaitsForALeaseAndTheNextOnesDoNot) {
  EXPECT_TRUE(admit().pending);
  CountingWaiter waiter;
  desk.wait(ask_about(tenant, LimitKind::kHttpRate), waiter);
  EXPECT_EQ(rate_call().wanted, 17 + 1);
  EXPECT_TRUE(book.take_calls(now).empty());
  lend(18);
  const auto wakes = book.take_wakes();
  ASSERT_EQ(wakes.size(), 1U);
  EXPECT_EQ(wakes[0].desk, 5U);
  desk.answered(wakes[0].number, wakes[0].kind);
  EXPECT_EQ(waiter.answers, 1);
  for (int i = 0; i < 18; ++i) {
    const RateDecision decision = admit();
    ASSERT_TRUE(decision.admitted) << i;
    EXPECT_EQ(decision.remaining, 117U - i);
  }
  EXPECT_TRUE(admit().pending);
}

TEST_F(LeaseBookTest, WhoeverIsBusyAsksBeforeTheLeaseIsUsedUp) {
  admit();
  call();
  lend(17);
  for (int i = 0; i < 17; ++i) admit();
  admit();  // so soon: this tenant is busy
  now += milliseconds(50);
  call();
  lend(17);
  for (int i = 0; i < 12; ++i) admit();
  EXPECT_TRUE(book.take_calls(now).empty());
  admit();
  EXPECT_EQ(rate_call().held, 4);
}

TEST_F(LeaseBookTest, AfterARefusalNobodyIsAskedUntilThereIsSomething) {
  admit();
  call();
  answer(LimitKind::kHttpRate, RateLedger::Answer{.wait_us = 300'000});
  RateDecision decision = admit();
  EXPECT_FALSE(decision.admitted);
  EXPECT_FALSE(decision.pending);
  EXPECT_EQ(decision.retry_after, milliseconds(300));
  EXPECT_TRUE(book.take_calls(now).empty());
  now += milliseconds(300);
  EXPECT_TRUE(admit().pending);
  EXPECT_EQ(book.take_calls(now).size(), 1U);
}

TEST_F(LeaseBookTest, WhatIsNotUsedIsGivenBackBeforeTheLeaseEnds) {
  admit();
  call();
  lend(17);
  admit();
  now += kRateLease - LeaseBook::kTick;
  book.tick(now);
  const RateLedger::Call back = rate_call();
  EXPECT_EQ(back.returned, 16);
  EXPECT_EQ(back.held, 0);
  EXPECT_EQ(back.wanted, 0);
  EXPECT_TRUE(admit().pending);
}

TEST_F(LeaseBookTest, ALeaseThatHasEndedAdmitsNobody) {
  admit();
  call();
  lend(17);
  now += kRateLease;
  EXPECT_TRUE(admit().pending);
}

TEST_F(LeaseBookTest, WithoutTheStoreTheShareCountsAndNobodyWaits) {
  admit();
  CountingWaiter waiter;
  desk.wait(ask_about(tenant, LimitKind::kHttpRate), waiter);
  call();
  book.lost(now);
  for (const auto& wake : book.take_wakes()) desk.answered(wake.number, wake.kind);
  EXPECT_EQ(waiter.answers, 1);
  EXPECT_TRUE(admit().admitted);  // one, whoever it is
  EXPECT_FALSE(admit().admitted);
  EXPECT_FALSE(admit().pending);
  now += milliseconds(12);  // half of 10,000 a minute
  EXPECT_TRUE(admit().admitted);
  EXPECT_FALSE(admit().admitted);
}

TEST_F(LeaseBookTest, WhatIsLeftOfTheShareIsBroughtAlongOnce) {
  book.lost(now);
  now += seconds(10);  // the share is whole: 100 of 200
  EXPECT_TRUE(admit().admitted);
  book.connected();
  book.open({.epoch_us = 77, .after_outage = true}, now);
  EXPECT_TRUE(admit().pending);
  RateLedger::Call back = rate_call();
  EXPECT_EQ(back.epoch_us, 77);
  EXPECT_EQ(back.deposit, 99);
  lend(1);
  admit();
  now += kLeastPause;
  admit();
  EXPECT_EQ(rate_call().deposit, 0);
}

TEST_F(LeaseBookTest, SlotsAreRenewedAndGivenBack) {
  EXPECT_TRUE(acquire().pending);
  EXPECT_EQ(slot_call().wanted, 1);
  answer(LimitKind::kHttpRequests, SlotLedger::Answer{.granted = 1});
  auto first = acquire();
  ASSERT_TRUE(first.units);
  EXPECT_EQ(slot_call().wanted, 2);  // one to spare of eight
  answer(LimitKind::kHttpRequests, SlotLedger::Answer{.granted = 2});
  EXPECT_TRUE(acquire().units);
  now += seconds(1);
  book.tick(now);
  EXPECT_EQ(slot_call().in_use, 1);
  answer(LimitKind::kHttpRequests, SlotLedger::Answer{.granted = 2});
  first.units->release();
  for (int64_t wanted : {2, 0}) {
    now += seconds(1);
    book.tick(now);
    EXPECT_EQ(slot_call().wanted, wanted);
    answer(LimitKind::kHttpRequests, SlotLedger::Answer{.granted = wanted});
  }
  now += seconds(3);
  book.tick(now);
  EXPECT_EQ(book.size(), 0U);
}

TEST_F(LeaseBookTest, WhenSlotsAreScarceOnlyThoseInUseAreKept) {
  acquire();
  call();
  answer(LimitKind::kHttpRequests, SlotLedger::Answer{.granted = 1});
  const auto held = acquire();
  ASSERT_TRUE(held.units);
  EXPECT_EQ(slot_call().wanted, 2);
  answer(LimitKind::kHttpRequests, SlotLedger::Answer{.granted = 2, .scarce = 1});
  now += LeaseBook::kTick;
  book.tick(now);
  EXPECT_EQ(slot_call().wanted, 1);
  answer(LimitKind::kHttpRequests, SlotLedger::Answer{.granted = 1});
}

TEST_F(LeaseBookTest, SlotsThatCouldNotBeRenewedAreNotUsed) {
  acquire();
  call();
  answer(LimitKind::kHttpRequests, SlotLedger::Answer{.granted = 1});
  now += kSlotLease;
  EXPECT_TRUE(acquire().pending);
}

TEST_F(LeaseBookTest, MoreSlotsThanWereAskedForAreNotTaken) {
  acquire();
  EXPECT_EQ(slot_call().wanted, 1);
  answer(LimitKind::kHttpRequests, SlotLedger::Answer{.granted = 1'000});
  const auto held = acquire();
  ASSERT_TRUE(held.units);
  EXPECT_EQ(slot_call().wanted, 2);
  const auto more = acquire();
  EXPECT_FALSE(more.units);
  EXPECT_TRUE(more.pending);
}

TEST_F(LeaseBookTest, AWaiterThatEndsIsForgotten) {
  admit();
  {
    CountingWaiter waiter;
    desk.wait(ask_about(tenant, LimitKind::kHttpRate), waiter);
    EXPECT_EQ(states.of(tenant.number).http_rate.signals.waiting, 1U);
  }
  EXPECT_EQ(states.of(tenant.number).http_rate.signals.waiting, 0U);
  call();
  lend(1);
  for (const auto& wake : book.take_wakes()) desk.answered(wake.number, wake.kind);
}

}  // namespace
}  // namespace partywall
