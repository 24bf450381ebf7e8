#include "cache/quota/tenant_quota.h"

#include <gtest/gtest.h>

namespace partywall::cache {
namespace {

using Verdict = TenantQuota::Verdict;

struct TenantQuotaTest : testing::Test {
  Verdict check(const Growth& growth, uint32_t nodes = 1) { return admit(growth, nodes).verdict; }
  // Nothing stays charged.
  TenantQuota::Admission admit(const Growth& growth, uint32_t nodes = 1) {
    const auto admission = quota.charge_if_fits(growth, limits, nodes, now);
    if (admission.verdict == Verdict::kFits) quota.take_back(growth);
    return admission;
  }
  void count(uint64_t keys) { quota.counted(quota.mark(Verdict::kCount, now), keys); }
  void weigh(uint64_t bytes) { quota.weighed(quota.mark(Verdict::kWeigh, now), bytes, now); }
  void pass(const Growth& growth) {
    quota.charge(growth);
    quota.settle(growth);
  }

  TenantQuota quota;
  Limits limits{.cache_keys = 100, .cache_bytes = 1'000'000};
  MonotonicTime now{hours(1)};
  const Growth key{.keys = 1, .bytes = 10};
};

TEST_F(TenantQuotaTest, IsCountedOnceAndThenKnownUntilTheBoundIsReached) {
  EXPECT_EQ(check(key), Verdict::kCount);
  count(90);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(check(key), Verdict::kFits);
    pass(key);
  }
  EXPECT_EQ(check(key), Verdict::kCount);
  count(95);  // some of them were there already
  EXPECT_EQ(check(key), Verdict::kFits);
}

TEST_F(TenantQuotaTest, OfTwoThatWereToldThatItFitsOneGetsTheLastPlace) {
  EXPECT_EQ(check(key), Verdict::kCount);
  count(99);
  EXPECT_EQ(quota.charge_if_fits(key, limits, 1, now).verdict, Verdict::kFits);
  EXPECT_EQ(quota.charge_if_fits(key, limits, 1, now).verdict, Verdict::kCount);
  quota.take_back(key);
  EXPECT_TRUE(quota.charge_if_keys_fit(key, limits, 1));
  EXPECT_FALSE(quota.charge_if_keys_fit(key, limits, 1));
  EXPECT_TRUE(quota.charge_if_keys_fit({.keys = 0, .bytes = 10}, limits, 1));
  EXPECT_EQ(quota.keys_under_way(), 1U);
}

TEST_F(TenantQuotaTest, AnIndexIsLookedThroughAtMostASmallPartOfTheTime) {
  EXPECT_TRUE(quota.may_look_through(now));
  quota.looked_through(now, now + milliseconds(10), false);
  now += milliseconds(10);
  EXPECT_FALSE(quota.may_look_through(now + milliseconds(499)));
  EXPECT_TRUE(quota.may_look_through(now + milliseconds(500)));
  quota.note_removal();
  EXPECT_FALSE(quota.may_look_through(now + milliseconds(49)));
  EXPECT_TRUE(quota.may_look_through(now + milliseconds(50)));
}

TEST_F(TenantQuotaTest, FarBelowItsQuotasATenantHasMuchRoom) {
  EXPECT_FALSE(quota.has_much_room(limits));  // it has not been counted
  count(74);
  EXPECT_TRUE(quota.has_much_room(limits));
  pass(key);
  EXPECT_FALSE(quota.has_much_room(limits));
  count(10);
  EXPECT_TRUE(quota.has_much_room(limits));
  weigh(800'000);
  EXPECT_FALSE(quota.has_much_room(limits));
}

TEST_F(TenantQuotaTest, WhereOnlyWhatWasChargedSinceTheLastCountIsMuchItIsWorthCounting) {
  count(40);
  pass({.keys = 34});
  EXPECT_TRUE(admit(key).much_room);
  EXPECT_FALSE(admit(key).worth_counting);
  pass(key);
  EXPECT_FALSE(admit(key).much_room);
  EXPECT_TRUE(admit(key).worth_counting);
  count(60);
  pass({.keys = 30});
  EXPECT_FALSE(admit(key).much_room);
  EXPECT_FALSE(admit(key).worth_counting) << "it would not help much";
}

TEST_F(TenantQuotaTest, WhatIsNotInTheLastCountIsKnown) {
  count(10);
  EXPECT_EQ(quota.keys_since_count(), 0U);
  pass(key);
  EXPECT_EQ(quota.keys_under_way(), 0U);
  EXPECT_EQ(quota.keys_since_count(), 1U);
}

TEST_F(TenantQuotaTest, WhatWasUnderWayWhenItWasCountedIsOnTop) {
  count(0);
  quota.charge({.keys = 60});
  const auto mark = quota.mark(Verdict::kCount, now);
  quota.settle({.keys = 60});
  quota.counted(mark, 0);  // Redis may have counted before the 60 were made
  EXPECT_EQ(check({.keys = 41}), Verdict::kCount);
  EXPECT_EQ(check({.keys = 40}), Verdict::kFits);
  count(60);
  EXPECT_EQ(check({.keys = 40}), Verdict::kFits);
  EXPECT_EQ(check({.keys = 41}), Verdict::kCount);
}

TEST_F(TenantQuotaTest, WhatAClientLeftBehindMayStillBeCarriedOut) {
  count(0);
  quota.charge({.keys = 100});
  quota.abandon({.keys = 100}, now);
  now += seconds(5);
  count(0);
  EXPECT_EQ(check(key), Verdict::kCount);
  now += seconds(6);
  count(0);
  EXPECT_EQ(check(key), Verdict::kFits);
}

TEST_F(TenantQuotaTest, OfTwoCountsTheLaterQuestionCounts) {
  const auto early = quota.mark(Verdict::kCount, now);
  now += milliseconds(1);
  count(100);
  quota.counted(early, 0);
  EXPECT_EQ(quota.usage().keys, 100U);
}

TEST_F(TenantQuotaTest, OtherNodesMayHaveAddedAsMuchEach) {
  count(0);
  pass({.keys = 33});
  EXPECT_EQ(check(key, 3), Verdict::kFits);
  pass(key);
  EXPECT_EQ(check(key, 3), Verdict::kCount);
  count(34);
  now += seconds(1);
  EXPECT_EQ(check(key, 3), Verdict::kCount) << "what they do is out of date after a second";
}

TEST_F(TenantQuotaTest, AScriptIsFollowedByACount) {
  count(0);
  const Growth script{.keys = 16, .bytes = 10, .unsure = true};
  EXPECT_EQ(check(script), Verdict::kFits);
  pass(script);
  EXPECT_EQ(check(key), Verdict::kFits);
  now += milliseconds(50);
  EXPECT_EQ(check(key), Verdict::kCount);
  count(99);
  EXPECT_EQ(check(script), Verdict::kFits) << "it may well make no key";
  count(100);
  EXPECT_EQ(check(script), Verdict::kCount);
  EXPECT_FALSE(quota.fits_by_answer(script, limits));
}

TEST_F(TenantQuotaTest, IsWeighedWhenItHasWrittenAPartOfTheQuota) {
  count(0);
  EXPECT_EQ(check(key), Verdict::kFits);
  pass({.keys = 1, .bytes = 24'000});
  EXPECT_EQ(check(key), Verdict::kFits);
  pass({.keys = 1, .bytes = 2'000});
  EXPECT_EQ(check(key), Verdict::kWeigh);
  weigh(500'000);
  pass({.keys = 1, .bytes = 400'000});
  EXPECT_EQ(check(key), Verdict::kFits);
  EXPECT_EQ(check({.keys = 1, .bytes = 100'001}), Verdict::kWeigh);
}

TEST_F(TenantQuotaTest, JustBelowTheQuotaAFortiethIsWrittenBetweenTwoWeighings) {
  count(0);
  weigh(990'000);
  EXPECT_EQ(check({.keys = 1, .bytes = 9'000}), Verdict::kFits);
  pass({.keys = 1, .bytes = 9'000});
  EXPECT_EQ(check({.keys = 1, .bytes = 9'000}), Verdict::kFits);
  pass({.keys = 1, .bytes = 9'000});
  pass({.keys = 1, .bytes = 9'000});
  EXPECT_EQ(check({.keys = 1, .bytes = 9'000}), Verdict::kWeigh);
}

TEST_F(TenantQuotaTest, AFullTenantIsWeighedAgainAfterAWhileOrARemoval) {
  count(0);
  weigh(1'000'000);
  EXPECT_EQ(check(key), Verdict::kFull);
  now += seconds(1);
  EXPECT_EQ(check(key), Verdict::kWeigh);
  weigh(1'000'000);
  EXPECT_EQ(check(key), Verdict::kFull);
  quota.note_removal();
  EXPECT_EQ(check(key), Verdict::kWeigh);
}

TEST_F(TenantQuotaTest, WeighingTakesABoundedPartOfTheTime) {
  count(0);
  const auto mark = quota.mark(Verdict::kWeigh, now);
  now += seconds(1);  // it took so long
  quota.weighed(mark, 1'000'000, now);
  now += seconds(4);
  quota.note_removal();
  EXPECT_EQ(check({.bytes = 10}), Verdict::kFull);
  now += seconds(1);
  EXPECT_EQ(check({.bytes = 10}), Verdict::kWeigh);
}

TEST_F(TenantQuotaTest, WhatAddsNoKeysIsNotHeldBackByThem) {
  count(100);
  EXPECT_EQ(check({.bytes = 10}), Verdict::kFits);
}

}  // namespace
}  // namespace partywall::cache
