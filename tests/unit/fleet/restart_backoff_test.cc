#include "fleet/restart_backoff.h"

#include <gtest/gtest.h>

namespace partywall::fleet {
namespace {

constexpr RestartBackoffSettings kSettings{
    .first = milliseconds(100), .longest = seconds(2), .stable_after = seconds(10)};

TEST(RestartBackoff, DoublesUpToTheLongest) {
  RestartBackoff backoff(kSettings);
  EXPECT_EQ(backoff.after_exit({}), milliseconds(100));
  EXPECT_EQ(backoff.after_exit(seconds(1)), milliseconds(200));
  EXPECT_EQ(backoff.after_exit(seconds(1)), milliseconds(400));
  EXPECT_EQ(backoff.early_exits(), 3U);
  for (int i = 0; i < 100; ++i) EXPECT_LE(backoff.after_exit({}), seconds(2));
  EXPECT_EQ(backoff.after_exit({}), seconds(2));
}

TEST(RestartBackoff, AStableRunStartsAnew) {
  RestartBackoff backoff(kSettings);
  for (int i = 0; i < 7; ++i) (void)backoff.after_exit({});
  EXPECT_EQ(backoff.after_exit(seconds(10)), milliseconds(100));
  EXPECT_EQ(backoff.after_exit({}), milliseconds(200));
}

}  // namespace
}  // namespace partywall::fleet
