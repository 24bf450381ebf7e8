#include "store/control/usage.h"

#include "control/store_fixture.h"

namespace partywall::store {
namespace {

constexpr WallTime kNoon{seconds(1'800'000'000 - 1'800'000'000 % 86'400 + 43'200)};

UsageReport report_of(uint64_t run, uint64_t number, WallTime started, uint64_t requests,
                      bool is_last = false) {
  UsageReport report{.node = "node-a",
                     .interval = {.run = Uuid::from_halves(9, run),
                                  .number = number,
                                  .started = started,
                                  .ended = started + seconds(10),
                                  .is_last = is_last,
                                  .tenants = {}}};
  UsageCounts counts;
  counts.add(UsageMeter::kHttpRequests, requests);
  counts.add(UsageMeter::kCacheSentBytes, 10 * requests);
  report.interval.tenants.push_back({.tenant = tenant_id(1), .counts = counts});
  return report;
}

class UsageTest : public StoreTest {
 protected:
  Recorded record(const UsageReport& report) {
    auto session = store_.session();
    const auto recorded = record_usage(*session, report);
    EXPECT_TRUE(recorded) << recorded.error().message;
    return recorded.value_or(Recorded::kBefore);
  }
  std::vector<UsageSum> sums(WallTime from, WallTime to, UsageStep step = UsageStep::kHour) {
    auto session = store_.session();
    return usage_of(*session, tenant_id(1), from, to, step).value();
  }
  uint64_t requests(UsageStep step = UsageStep::kHour) {
    uint64_t sum = 0;
    for (const UsageSum& one : sums(kNoon - hours(48), kNoon + hours(48), step))
      sum += one.counts[UsageMeter::kHttpRequests];
    return sum;
  }
  std::vector<UsageGap> gaps() {
    auto session = store_.session();
    return usage_gaps(*session, kNoon - hours(48), kNoon + hours(48)).value();
  }
};

TEST_F(UsageTest, AnIntervalCountsOnceHoweverOftenItComes) {
  EXPECT_EQ(record(report_of(1, 1, kNoon, 5)), Recorded::kNow);
  EXPECT_EQ(record(report_of(1, 1, kNoon, 5)), Recorded::kBefore);
  EXPECT_EQ(record(report_of(1, 2, kNoon + seconds(10), 7)), Recorded::kNow);
  EXPECT_EQ(record(report_of(1, 1, kNoon, 5)), Recorded::kBefore) << "late as well";
  EXPECT_EQ(requests(), 12U);
  EXPECT_TRUE(gaps().empty());
}

TEST_F(UsageTest, AnotherRunOfTheSameNodeCountsByItself) {
  record(report_of(1, 1, kNoon, 5, true));
  EXPECT_EQ(record(report_of(2, 1, kNoon + minutes(5), 7)), Recorded::kNow);
  EXPECT_EQ(requests(), 12U);
  EXPECT_TRUE(gaps().empty()) << "the first one ended in order";
}

TEST_F(UsageTest, ARunThatDidNotEndInOrderLeavesAGap) {
  record(report_of(1, 1, kNoon, 5));
  record(report_of(2, 1, kNoon + minutes(5), 7));
  ASSERT_EQ(gaps().size(), 1U);
  EXPECT_EQ(gaps()[0].node, "node-a");
  EXPECT_EQ(gaps()[0].from, kNoon + seconds(10));
  EXPECT_EQ(gaps()[0].to, kNoon + minutes(5));
}

TEST_F(UsageTest, AnIntervalThatIsMissingLeavesAGap) {
  record(report_of(1, 1, kNoon, 5));
  record(report_of(1, 4, kNoon + seconds(30), 7));
  ASSERT_EQ(gaps().size(), 1U);
  EXPECT_EQ(gaps()[0].from, kNoon + seconds(10));
  EXPECT_EQ(gaps()[0].to, kNoon + seconds(30));
}

TEST_F(UsageTest, HoursBeginInUtcAndMakeUpDays) {
  record(report_of(1, 1, kNoon + minutes(59), 1));
  record(report_of(1, 2, kNoon + minutes(60), 2));
  record(report_of(1, 3, kNoon + hours(13), 4));
  const auto by_hour = sums(kNoon, kNoon + hours(24));
  ASSERT_EQ(by_hour.size(), 3U);
  EXPECT_EQ(by_hour[0].start, kNoon);
  EXPECT_EQ(by_hour[1].start, kNoon + hours(1));
  EXPECT_EQ(by_hour[1].counts[UsageMeter::kHttpRequests], 2U);
  const auto by_day = sums(kNoon - hours(12), kNoon + hours(24), UsageStep::kDay);
  ASSERT_EQ(by_day.size(), 2U);
  EXPECT_EQ(by_day[0].counts[UsageMeter::kHttpRequests], 3U);
  EXPECT_EQ(by_day[1].start, kNoon + hours(12));
  EXPECT_EQ(by_day[1].counts[UsageMeter::kCacheSentBytes], 40U);
}

TEST_F(UsageTest, OldHoursBecomeDaysAndLateOnesAreAdded) {
  const WallTime old = std::chrono::floor<std::chrono::days>(
                           std::chrono::floor<milliseconds>(std::chrono::system_clock::now())) -
                       std::chrono::duration_cast<milliseconds>(kUsageHoursKept) - hours(48);
  const auto days = [&] { return sums(old, old + hours(24), UsageStep::kDay); };
  record(report_of(1, 1, old, 1));
  record(report_of(1, 2, old + hours(3), 2));
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(change([](Change& change) { return age_usage(change); }));
    EXPECT_TRUE(sums(old, old + hours(24)).empty());
    ASSERT_EQ(days().size(), 1U);
    EXPECT_EQ(days()[0].counts[UsageMeter::kHttpRequests], 3U);
  }
  record(report_of(1, 3, old + hours(4), 4));
  EXPECT_EQ(days()[0].counts[UsageMeter::kHttpRequests], 7U) << "before it is aged";
  ASSERT_TRUE(change([](Change& change) { return age_usage(change); }));
  EXPECT_EQ(days()[0].counts[UsageMeter::kHttpRequests], 7U) << "and after";
}

TEST_F(UsageTest, WhatIsNoIntervalIsRefused) {
  auto session = store_.session();
  EXPECT_FALSE(record_usage(*session, report_of(1, 0, kNoon, 1)));
  UsageReport backwards = report_of(1, 1, kNoon, 1);
  backwards.interval.ended = kNoon - seconds(1);
  EXPECT_FALSE(record_usage(*session, backwards));
}

}  // namespace
}  // namespace partywall::store
