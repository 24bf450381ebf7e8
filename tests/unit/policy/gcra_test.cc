#include "policy/gcra.h"

#include <algorithm>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace partywall {
namespace {

MonotonicTime at(Duration since_start) { return MonotonicTime(since_start); }

// The largest number of admissions, over all windows, above what rate × t + burst allows. `times`
// holds when each was admitted. Exact: period × count is compared with tokens × t.
int64_t worst_excess(std::vector<int64_t> times, const RateLimit& limit) {
  std::ranges::sort(times);
  int64_t worst = 0;
  for (size_t first = 0; first < times.size(); ++first) {
    for (size_t last = first; last < times.size(); ++last) {
      const auto window = static_cast<__int128>(times[last] - times[first]);
      const auto earned = window * limit.tokens / limit.period.count();
      const auto count = static_cast<int64_t>(last - first + 1);
      worst = std::max(worst, count - static_cast<int64_t>(earned) - limit.burst);
    }
  }
  return worst;
}

TEST(Gcra, AdmitsTheBurstThenOnePerInterval) {
  Gcra gcra;
  const RateLimit limit{100, minutes(1), 10};
  for (uint32_t i = 0; i < 10; ++i) {
    const RateDecision decision = gcra.admit(limit, at(seconds(5)));
    EXPECT_TRUE(decision.admitted);
    EXPECT_EQ(decision.remaining, 9 - i);
    EXPECT_EQ(decision.reset_after, milliseconds(600) * (i + 1));
  }
  const RateDecision refused = gcra.admit(limit, at(seconds(5)));
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.remaining, 0U);
  EXPECT_EQ(refused.retry_after, milliseconds(600));
  EXPECT_EQ(refused.reset_after, seconds(6));
  EXPECT_TRUE(gcra.admit(limit, at(seconds(5) + milliseconds(600))).admitted);
  EXPECT_FALSE(gcra.admit(limit, at(seconds(5) + milliseconds(600))).admitted);
}

TEST(Gcra, ZeroTokensZeroBurstAndACostAboveTheBurstAreNeverAdmitted) {
  Gcra gcra;
  EXPECT_EQ(gcra.admit({0, seconds(1), 5}, at(seconds(1))).retry_after, Duration::max());
  EXPECT_EQ(gcra.admit({5, seconds(1), 0}, at(seconds(1))).retry_after, Duration::max());
  EXPECT_EQ(gcra.admit({5, seconds(1), 5}, at(seconds(1)), 6).retry_after, Duration::max());
  const RateDecision all = gcra.admit({5, seconds(1), 5}, at(seconds(1)), 5);
  EXPECT_TRUE(all.admitted);
  EXPECT_EQ(all.remaining, 0U);
}

TEST(Gcra, ExtremeLimitsDoNotOverflow) {
  const uint32_t most = std::numeric_limits<uint32_t>::max();
  for (const RateLimit& limit :
       {RateLimit{1, Duration::max(), most}, RateLimit{most, Duration(1), most},
        RateLimit{1, hours(24 * 365), 1}}) {
    Gcra gcra;
    EXPECT_TRUE(gcra.admit(limit, at(hours(24 * 365 * 50))).admitted);
    const RateDecision second = gcra.admit(limit, at(hours(24 * 365 * 50)));
    EXPECT_GE(second.retry_after, Duration(0));
  }
}

TEST(Gcra, AFasterLimitDoesNotInheritTheDebtOfASlowOne) {
  Gcra gcra;
  const RateLimit slow{1, hours(1), 10};
  const RateLimit fast{1000, minutes(1), 50};
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(gcra.admit(slow, at(seconds(1))).admitted);
  const RateDecision refused = gcra.admit(fast, at(seconds(1)));
  EXPECT_FALSE(refused.admitted);  // the whole new burst counts as used
  EXPECT_EQ(refused.retry_after, milliseconds(60));
  EXPECT_TRUE(gcra.admit(fast, at(seconds(1) + milliseconds(60))).admitted);
}

TEST(Gcra, ASlowerLimitCountsWhatWasUsed) {
  Gcra gcra;
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(gcra.admit({10'000, minutes(1), 200}, at(seconds(1))).admitted);
  // 200 × 6 ms of debt are two intervals of the slower limit.
  const RateDecision decision = gcra.admit({100, minutes(1), 10}, at(seconds(1)));
  EXPECT_TRUE(decision.admitted);
  EXPECT_EQ(decision.remaining, 7U);
}

// Any limit, any sequence of arrivals, any cost: the bound holds, and retry_after is exact to the
// nanosecond.
TEST(GcraProperty, NeverMoreThanRateTimesTimePlusBurst) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SeededRandom random(seed);
    const RateLimit limit{static_cast<uint32_t>(1 + random.below(1000)),
                          Duration(static_cast<int64_t>(1 + random.below(3'000'000'000))),
                          static_cast<uint32_t>(1 + random.below(20))};
    const int64_t interval = limit.period.count() / limit.tokens + 1;
    Gcra gcra;
    std::vector<int64_t> admitted;
    int64_t now = 0;
    for (int step = 0; step < 300; ++step) {
      now += static_cast<int64_t>(random.below(static_cast<uint64_t>(interval) * 2));
      const auto cost = static_cast<uint32_t>(1 + random.below(limit.burst));
      const RateDecision decision = gcra.admit(limit, at(Duration(now)), cost);
      if (decision.admitted) {
        admitted.insert(admitted.end(), cost, now);
        continue;
      }
      ASSERT_GT(decision.retry_after.count(), 0);
      ASSERT_FALSE(
          gcra.admit(limit, at(Duration(now + decision.retry_after.count() - 1)), cost).admitted);
      if (random.below(2) == 0) {
        now += decision.retry_after.count();
        ASSERT_TRUE(gcra.admit(limit, at(Duration(now)), cost).admitted) << "seed " << seed;
        admitted.insert(admitted.end(), cost, now);
      }
    }
    EXPECT_LE(worst_excess(admitted, limit), 0) << "seed " << seed;
  }
}

TEST(GcraProperty, RemainingIsWhatIsAdmittedNext) {
  SeededRandom random(7);
  const RateLimit limit{60, seconds(1), 8};
  for (int round = 0; round < 200; ++round) {
    Gcra gcra;
    const MonotonicTime now = at(seconds(10));
    uint32_t remaining = 8;
    const uint64_t used = random.below(8);
    for (uint64_t i = 0; i < used; ++i) remaining = gcra.admit(limit, now).remaining;
    for (uint32_t i = 0; i < remaining; ++i) ASSERT_TRUE(gcra.admit(limit, now).admitted);
    ASSERT_FALSE(gcra.admit(limit, now).admitted);
  }
}

// Threads whose clocks differ admit at once; together they stay within the bound, and use it fully.
TEST(GcraProperty, TheBoundHoldsOverManyThreads) {
  const RateLimit limit{1000, seconds(1), 20};
  Gcra gcra;
  std::vector<std::vector<int64_t>> admitted(4);
  std::vector<std::jthread> threads;
  for (size_t thread = 0; thread < admitted.size(); ++thread) {
    threads.emplace_back([&, thread] {
      for (int64_t step = 0; step < 20'000; ++step) {
        const int64_t now =
            1'000'000'000 + step * 50'000 + static_cast<int64_t>(thread) * 7'000;  // ns
        if (gcra.admit(limit, at(Duration(now))).admitted) admitted[thread].push_back(now);
      }
    });
  }
  threads.clear();
  std::vector<int64_t> all;
  for (const auto& times : admitted) all.insert(all.end(), times.begin(), times.end());
  EXPECT_LE(worst_excess(all, limit), 0);
  // One second passed. A thread that runs far behind the others' clocks finds the tokens of its
  // time gone, so only the rate itself is certain to have been used.
  EXPECT_GE(all.size(), 1000U);
}

}  // namespace
}  // namespace partywall
