#include "fleet/rollout/analysis.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "fleet/rollout/rollout.h"
#include "fleet/rollout/statistics.h"

namespace partywall::fleet {
namespace {

using testing::HasSubstr;

TEST(Fisher, KnowsTextbookTables) {
  // Fisher's tea: 3 of 4 against 1 of 4, one-sided.
  EXPECT_NEAR(fisher_p_worse(3, 4, 1, 4), 17.0 / 70, 1e-12);
  EXPECT_NEAR(fisher_p_worse(4, 4, 0, 4), 1.0 / 70, 1e-12);
  EXPECT_NEAR(fisher_p_worse(0, 10, 5, 10), 1, 1e-9);
  EXPECT_EQ(fisher_p_worse(1, 0, 1, 5), 1);
  EXPECT_LT(fisher_p_worse(50, 1'000, 1, 1'000), 1e-12);
  EXPECT_NEAR(fisher_p_worse(0, 1'000'000, 0, 1'000'000), 1, 1e-6);
}

TEST(MannWhitney, KnowsATextbookTable) {
  // Ranks 1, 2, 4, 6, 7 and 3, 5, 8, 9, 10: U = 20 of 25.
  const std::vector<double> small = {1, 2, 4, 6, 7};
  const std::vector<double> large = {3, 5, 8, 9, 10};
  EXPECT_NEAR(mann_whitney_p_larger(large, small), 0.0718, 0.003);
  EXPECT_NEAR(mann_whitney_p_larger(small, large), 0.953, 0.01);
  EXPECT_EQ(mann_whitney_p_larger({}, large), 1);
  const std::vector<double> same(50, 1.0);
  EXPECT_EQ(mann_whitney_p_larger(same, same), 1);
}

// Without a difference, "p < 5 %" happens in about 5 % of the trials, and not more.
TEST(Statistics, RaiseFalseAlarmsAsOftenAsTheySay) {
  SeededRandom random(3);
  int latency_alarms = 0;
  int error_alarms = 0;
  constexpr int kTrials = 1'000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> canary;
    std::vector<double> baseline;
    uint64_t canary_errors = 0;
    uint64_t baseline_errors = 0;
    for (int i = 0; i < 60; ++i) {
      canary.push_back(static_cast<double>(random.below(50)));
      baseline.push_back(static_cast<double>(random.below(50)));
      canary_errors += random.below(10) == 0 ? 1 : 0;
      baseline_errors += random.below(10) == 0 ? 1 : 0;
    }
    if (mann_whitney_p_larger(canary, baseline) < 0.05) ++latency_alarms;
    if (fisher_p_worse(canary_errors, 60, baseline_errors, 60) < 0.05) ++error_alarms;
  }
  EXPECT_NEAR(latency_alarms, kTrials * 0.05, kTrials * 0.025);
  EXPECT_LE(error_alarms, kTrials * 6 / 100) << "an exact test is on the safe side";
}

VersionSample sample(uint64_t requests, uint64_t errors, double latency, uint64_t seed = 1) {
  SeededRandom random(seed);
  VersionSample result{.requests = requests, .errors = errors};
  for (uint64_t i = 0; i < std::min<uint64_t>(requests, 500); ++i) {
    result.latencies.push_back(latency * (0.5 + static_cast<double>(random.below(1'000)) / 1'000));
  }
  return result;
}

TEST(Analysis, PassesWhatIsAlike) {
  EXPECT_EQ(analyse(sample(1'000, 3, 0.1, 1), sample(1'000, 4, 0.1, 2), {}).verdict,
            Verdict::kPass);
}

TEST(Analysis, FailsMoreErrorsAndSlowerAnswers) {
  EXPECT_EQ(analyse(sample(1'000, 30, 0.1), sample(1'000, 3, 0.1), {}).verdict, Verdict::kFail);
  const Analysis slow = analyse(sample(1'000, 3, 0.2), sample(1'000, 3, 0.1), {});
  EXPECT_EQ(slow.verdict, Verdict::kFail);
  EXPECT_THAT(slow.reason, HasSubstr("p99"));
}

TEST(Analysis, TooFewRequestsAreNoVerdictUnlessAGuardRailIsHit) {
  EXPECT_EQ(analyse(sample(50, 0, 0.1), sample(1'000, 0, 0.1), {}).verdict, Verdict::kInconclusive);
  EXPECT_EQ(analyse(sample(1'000, 0, 0.1), sample(50, 0, 0.1), {}).verdict, Verdict::kInconclusive);
  EXPECT_EQ(analyse(sample(20, 10, 0.1), {}, {}).verdict, Verdict::kFail);
  EXPECT_EQ(analyse(sample(19, 10, 0.1), {}, {}).verdict, Verdict::kInconclusive);
  EXPECT_EQ(analyse({}, {}, {}).verdict, Verdict::kInconclusive) << "no data never promotes";
}

TEST(RolloutPlan, SaysWhatIsWrong) {
  EXPECT_TRUE(check_plan({}));
  EXPECT_FALSE(check_plan({.max_surge = 0, .max_unavailable = 0}));
  EXPECT_FALSE(check_plan({.steps = {}}));
  EXPECT_FALSE(check_plan({.steps = {{.percent = 50}, {.percent = 50}}}));
  EXPECT_FALSE(check_plan({.steps = {{.percent = 101}}}));
}

}  // namespace
}  // namespace partywall::fleet
