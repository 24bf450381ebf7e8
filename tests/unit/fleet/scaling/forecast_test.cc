#include "fleet/scaling/forecast.h"

#include <cmath>

#include <gtest/gtest.h>

#include "base/random.h"
#include "fleet/scaling/signal.h"

namespace partywall::fleet {
namespace {

constexpr int kDay = 24 * 60;

TEST(LoadForecast, KnowsNothingBeforeTheFirstLeadIsOver) {
  LoadForecast forecast({.lead = minutes(8)});
  for (int i = 0; i < 8; ++i) {
    forecast.add_minute(100);
    EXPECT_FALSE(forecast.outlook());
  }
  forecast.add_minute(100);
  EXPECT_TRUE(forecast.outlook());
}

TEST(LoadForecast, AConstantLoadNeedsNoMargin) {
  LoadForecast forecast({});
  for (int i = 0; i < kDay; ++i) forecast.add_minute(100);
  ASSERT_TRUE(forecast.outlook());
  EXPECT_NEAR(forecast.outlook()->most, 100, 3);
  EXPECT_TRUE(forecast.outlook()->proven);
}

TEST(LoadForecast, IsNotProvenBeforeItsTime) {
  LoadForecast forecast({.proven_after = hours(6)});
  for (int i = 0; i < 300; ++i) forecast.add_minute(100);
  ASSERT_TRUE(forecast.outlook());
  EXPECT_FALSE(forecast.outlook()->proven);
}

// A margin from its own errors: what it promises to cover it covers, on noise that it cannot know.
TEST(LoadForecast, CoversNoiseAsOftenAsItSays) {
  SeededRandom random(7);
  LoadForecast forecast({.lead = minutes(8), .coverage = 0.95});
  const auto noise = [&] { return 100 * std::exp((random.below(1000) / 1000.0 - 0.5) * 0.8); };
  std::vector<double> loads;
  std::vector<double> promised;
  for (int i = 0; i < 6 * kDay; ++i) {
    loads.push_back(noise());
    forecast.add_minute(loads.back());
    promised.push_back(forecast.outlook() ? forecast.outlook()->most : 0);
  }
  int held = 0;
  int asked = 0;
  for (size_t i = 2 * kDay; i + 8 < loads.size(); ++i) {
    double most = 0;
    for (size_t ahead = 1; ahead <= 8; ++ahead) most = std::max(most, loads[i + ahead]);
    ++asked;
    if (most <= promised[i]) ++held;
  }
  EXPECT_GE(held, asked * 93 / 100);
  EXPECT_LT(promised.back(), 250) << "and it does not promise the moon";
}

TEST(LoadForecast, LearnsWhatHappensEachMorning) {
  LoadForecast forecast({.lead = minutes(8)});
  const auto load = [](int minute) { return minute % kDay >= 9 * 60 ? 500.0 : 100.0; };
  for (int i = 0; i < 6 * kDay; ++i) forecast.add_minute(load(i));
  for (int i = 0; i < 9 * 60 - 4; ++i) forecast.add_minute(load(i));
  ASSERT_TRUE(forecast.outlook());
  EXPECT_GT(forecast.outlook()->most, 490) << "four minutes before nine";
}

TEST(DecayedHistogram, ForgetsOldValues) {
  DecayedHistogram histogram(100);
  for (int i = 0; i < 100; ++i) histogram.add(1.0);
  EXPECT_NEAR(histogram.quantile(0.5), 1.0, 0.03);
  for (int i = 0; i < 2'000; ++i) histogram.add(0.0);
  EXPECT_NEAR(histogram.quantile(0.99), 0.0, 0.03);
}

TEST(SignalWindow, TellsMissingFromStaleFromZero) {
  SignalWindow window(seconds(60));
  const MonotonicTime start{};
  EXPECT_EQ(window.average(start, seconds(15)).state, SignalState::kMissing);
  window.add(start + seconds(1), 0);
  EXPECT_EQ(window.average(start + seconds(2), seconds(15)).state, SignalState::kFresh);
  EXPECT_EQ(window.average(start + seconds(61), seconds(15)).state, SignalState::kFresh);
  EXPECT_EQ(window.average(start + seconds(62), seconds(15)).state, SignalState::kStale);
}

TEST(SignalWindow, AveragesWhatIsInTheWindowAndDropsNonsense) {
  SignalWindow window;
  const MonotonicTime start{};
  for (int i = 1; i <= 100; ++i) window.add(start + seconds(i), i);
  window.add(start + seconds(101), std::nan(""));
  window.add(start + seconds(101), INFINITY);
  EXPECT_DOUBLE_EQ(window.average(start + seconds(100), seconds(10)).value, 95.5);
  EXPECT_DOUBLE_EQ(window.average(start + seconds(140), seconds(10)).value, 100)
      << "none in the window: the last one";
}

}  // namespace
}  // namespace partywall::fleet
