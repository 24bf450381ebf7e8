#include "base/backoff.h"

#include <gtest/gtest.h>

namespace partywall {
namespace {

constexpr BackoffSettings kSettings{.first = milliseconds(100), .longest = seconds(5)};

TEST(Backoff, DoublesUpToTheLongest) {
  EXPECT_EQ(backoff_pause(kSettings, 0), Duration(0));
  EXPECT_EQ(backoff_pause(kSettings, 1), milliseconds(100));
  EXPECT_EQ(backoff_pause(kSettings, 2), milliseconds(200));
  EXPECT_EQ(backoff_pause(kSettings, 6), milliseconds(3200));
  EXPECT_EQ(backoff_pause(kSettings, 7), seconds(5));
  EXPECT_EQ(backoff_pause(kSettings, UINT32_MAX), seconds(5));
}

TEST(Backoff, CountsFromTheBeginningOfTheAttemptAndForgetsAtSuccess) {
  Backoff backoff(kSettings);
  const MonotonicTime start = MonotonicTime() + seconds(10);
  EXPECT_TRUE(backoff.may_try(start));
  backoff.failed(start);
  EXPECT_FALSE(backoff.may_try(start + milliseconds(99)));
  EXPECT_TRUE(backoff.may_try(start + milliseconds(100)));
  backoff.failed(start + milliseconds(100));
  EXPECT_EQ(backoff.retry_at(), start + milliseconds(300));
  EXPECT_EQ(backoff.failures(), 2u);
  backoff.succeeded();
  EXPECT_TRUE(backoff.may_try(start));
  backoff.failed(start);
  EXPECT_EQ(backoff.retry_at(), start + milliseconds(100));
}

TEST(Backoff, ASpreadPauseIsFromTheUpperHalf) {
  SeededRandom random(1);
  const BackoffSettings settings{.first = milliseconds(100), .longest = seconds(1)};
  for (uint32_t failures = 0; failures < 8; ++failures) {
    const Duration whole = backoff_pause(settings, failures);
    for (int i = 0; i < 200; ++i) {
      const Duration pause = spread_backoff_pause(settings, failures, random);
      EXPECT_GE(pause, whole / 2);
      EXPECT_LE(pause, whole);
    }
  }
}

}  // namespace
}  // namespace partywall
