#include "tenancy/shipped_tiers.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

// The table of binding.md and docs, row by row.
TEST(ShippedTiers, HaveTheValuesOfTheContract) {
  const std::vector<Tier> tiers = shipped_tiers();
  ASSERT_EQ(tiers.size(), 3U);
  const auto row = [&](auto value) {
    return std::vector{value(tiers[0]), value(tiers[1]), value(tiers[2])};
  };
  using Numbers = std::vector<uint64_t>;
  constexpr uint64_t kMebibyte = 1ULL << 20;
  EXPECT_EQ(row([](const Tier& t) { return t.name; }),
            (std::vector<std::string>{"free", "pro", "enterprise"}));
  EXPECT_EQ(row([](const Tier& t) -> uint64_t { return t.limits.max_concurrent_requests; }),
            (Numbers{10, 50, 200}));
  EXPECT_EQ(row([](const Tier& t) { return t.limits.api_rate; }),
            (std::vector<RateLimit>{
                {100, minutes(1), 10}, {1'000, minutes(1), 50}, {10'000, minutes(1), 200}}));
  EXPECT_EQ(row([](const Tier& t) -> uint64_t { return t.limits.max_db_connections; }),
            (Numbers{5, 20, 100}));
  EXPECT_EQ(row([](const Tier& t) { return t.limits.max_cpu_time; }),
            (std::vector<Duration>{seconds(60), seconds(300), seconds(3'600)}));
  EXPECT_EQ(row([](const Tier& t) { return t.limits.statement_timeout; }),
            (std::vector<Duration>{seconds(5), seconds(15), seconds(60)}));
  EXPECT_EQ(row([](const Tier& t) { return t.limits.max_memory_bytes / kMebibyte; }),
            (Numbers{512, 2'048, 8'192}));
  EXPECT_EQ(row([](const Tier& t) { return t.limits.cache_keys; }),
            (Numbers{1'000, 10'000, 100'000}));
  EXPECT_EQ(row([](const Tier& t) { return t.limits.cache_bytes / kMebibyte; }),
            (Numbers{64, 512, 4'096}));
  EXPECT_EQ(row([](const Tier& t) -> uint64_t { return t.limits.cache_rate.tokens; }),
            (Numbers{1'000, 10'000, 100'000}));
  EXPECT_EQ(row([](const Tier& t) { return t.limits.cache_rate.period; }),
            (std::vector<Duration>{seconds(1), seconds(1), seconds(1)}));
  EXPECT_EQ(row([](const Tier& t) { return t.limits.cache_time; }),
            (std::vector<Duration>{milliseconds(100), milliseconds(250), milliseconds(500)}));
  EXPECT_EQ(row([](const Tier& t) { return t.limits.cache_script_time; }),
            (std::vector<Duration>{milliseconds(200), milliseconds(500), seconds(1)}));
  // The application is one for all of them, and so are the locks and queues that it makes of
  // scripts.
  EXPECT_EQ(row([](const Tier& t) { return t.limits.cache_scripts; }),
            std::vector(3, CacheScripts::kAny));
  EXPECT_EQ(row([](const Tier& t) -> uint64_t { return t.weight; }), (Numbers{1, 4, 16}));
  EXPECT_EQ(row([](const Tier& t) { return t.alarms.error_share; }),
            (std::vector<double>{0.05, 0.02, 0.01}));
  EXPECT_EQ(row([](const Tier& t) { return t.alarms.slow_request; }),
            (std::vector<Duration>{milliseconds(1'000), milliseconds(500), milliseconds(200)}));
}

}  // namespace
}  // namespace partywall
