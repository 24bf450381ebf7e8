#include "policy/usage_ledger.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"
#include "tenancy/shipped_tiers.h"

namespace partywall {
namespace {

TenantId usage_tenant(uint64_t number) { return TenantId(Uuid::from_halves(7, number)); }

class CountedByHand final : public UsageSource {
 public:
  void add_usage(TenantNumber tenant, UsageCounts& counts) const override {
    const auto found = counts_.find(tenant.value());
    if (found != counts_.end()) counts.add(found->second);
  }
  void count(uint32_t tenant, UsageMeter meter, uint64_t amount) {
    counts_[tenant].add(meter, amount);
  }

 private:
  std::map<uint32_t, UsageCounts> counts_;
};

class UsageLedgerTest : public testing::Test {
 protected:
  UsageLedgerTest() {
    registry_.add(http_);
    registry_.add(sql_);
  }

  // Tenants of these numbers; their ids follow from them.
  static DirectoryRef directory_of(std::initializer_list<uint32_t> numbers) {
    DirectoryData data{.version = 1, .tiers = shipped_tiers(), .cells = {{.name = "shared"}}};
    for (const uint32_t number : numbers) {
      data.tenants.push_back(Tenant{.id = usage_tenant(number),
                                    .number = TenantNumber(number),
                                    .slug = "tenant" + std::to_string(number),
                                    .tier = "free",
                                    .cell = "shared"});
    }
    return Directory::build(std::move(data)).value();
  }

  UsageInterval take(const DirectoryRef& directory, bool is_last = false) {
    now_ += seconds(10);
    return ledger_.take(*directory, registry_, now_, is_last);
  }

  static uint64_t count_of(const UsageInterval& interval, uint32_t tenant, UsageMeter meter) {
    for (const auto& [id, counts] : interval.tenants) {
      if (id == usage_tenant(tenant)) return counts[meter];
    }
    return 0;
  }

  CountedByHand http_, sql_;
  UsageRegistry registry_;
  WallTime now_{seconds(1'700'000'000)};
  UsageLedger ledger_{Uuid::from_halves(1, 2), now_};
};

TEST_F(UsageLedgerTest, AnIntervalHasWhatWasCountedSinceTheLastOne) {
  const DirectoryRef directory = directory_of({0, 1, 2});
  http_.count(1, UsageMeter::kHttpRequests, 3);
  sql_.count(1, UsageMeter::kSqlStatements, 5);
  http_.count(2, UsageMeter::kHttpRequests, 1);
  const UsageInterval first = take(directory);
  EXPECT_EQ(first.number, 1U);
  EXPECT_EQ(first.tenants.size(), 2U) << "those that used nothing are left out";
  EXPECT_EQ(count_of(first, 1, UsageMeter::kHttpRequests), 3U);
  EXPECT_EQ(count_of(first, 1, UsageMeter::kSqlStatements), 5U) << "of all doors";
  http_.count(1, UsageMeter::kHttpRequests, 4);
  const UsageInterval second = take(directory);
  EXPECT_EQ(second.number, 2U);
  EXPECT_EQ(second.started, first.ended) << "intervals touch";
  EXPECT_EQ(count_of(second, 1, UsageMeter::kHttpRequests), 4U);
  EXPECT_EQ(count_of(second, 2, UsageMeter::kHttpRequests), 0U);
  EXPECT_TRUE(take(directory, true).is_last);
}

TEST_F(UsageLedgerTest, WhoLeavesIsCountedToTheEndAndNotTwiceWhenItComesBack) {
  http_.count(1, UsageMeter::kHttpRequests, 3);
  take(directory_of({1}));
  http_.count(1, UsageMeter::kHttpRequests, 2);
  EXPECT_EQ(count_of(take(directory_of({})), 1, UsageMeter::kHttpRequests), 2U);
  http_.count(1, UsageMeter::kHttpRequests, 1);
  EXPECT_EQ(count_of(take(directory_of({1})), 1, UsageMeter::kHttpRequests), 1U);
}

TEST_F(UsageLedgerTest, AClockThatIsSetBackStandsStill) {
  const DirectoryRef directory = directory_of({1});
  const UsageInterval first = take(directory);
  now_ -= hours(1);
  const UsageInterval second = take(directory);
  EXPECT_EQ(second.started, first.ended);
  EXPECT_EQ(second.ended, first.ended);
}

TEST_F(UsageLedgerTest, WhateverIsCountedWheneverItIsTakenTheSumIsWhatWasCounted) {
  SeededRandom random(11);
  const DirectoryRef directory = directory_of({0, 1, 2, 3, 4, 5, 6, 7});
  std::map<uint32_t, UsageCounts> counted, taken;
  const auto add_up = [&](const UsageInterval& interval) {
    for (uint32_t tenant = 0; tenant < 8; ++tenant) {
      for (const auto& [id, counts] : interval.tenants) {
        if (id == usage_tenant(tenant)) taken[tenant].add(counts);
      }
    }
  };
  for (int i = 0; i < 2'000; ++i) {
    const auto tenant = static_cast<uint32_t>(random.below(8));
    const auto meter = static_cast<UsageMeter>(random.below(kUsageMeterCount));
    const uint64_t amount = 1 + random.below(1'000);
    (random.below(2) == 0 ? http_ : sql_).count(tenant, meter, amount);
    counted[tenant].add(meter, amount);
    if (random.below(10) == 0) add_up(take(directory));
  }
  add_up(take(directory, true));
  EXPECT_EQ(taken, counted);
}

TEST(UsageMeterNamesTest, AreFoundAgain) {
  for (size_t i = 0; i < kUsageMeterCount; ++i) {
    EXPECT_FALSE(kUsageMeterNames[i].empty());
    EXPECT_EQ(find_usage_meter(kUsageMeterNames[i]), static_cast<UsageMeter>(i));
  }
  EXPECT_FALSE(find_usage_meter("http_request"));
}

}  // namespace
}  // namespace partywall
