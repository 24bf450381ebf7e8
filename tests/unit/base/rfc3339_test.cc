#include "base/rfc3339.h"

#include <random>

#include <gtest/gtest.h>

namespace partywall {
namespace {

TEST(Rfc3339, KnownTimes) {
  EXPECT_EQ(format_rfc3339(WallTime(seconds(0))), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(WallTime(milliseconds(951782400250))), "2000-02-29T00:00:00.250Z");
  EXPECT_EQ(parse_rfc3339("2000-02-29T00:00:00.250Z").value(),
            WallTime(milliseconds(951782400250)));
}

TEST(Rfc3339, GoesBothWays) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 10'000; ++i) {
    const WallTime time(milliseconds(random() % 253'402'300'800'000));
    EXPECT_EQ(parse_rfc3339(format_rfc3339(time)).value(), time);
  }
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* text : {"", "2026-11-25", "2026-11-25T22:18:02", "2026-11-25t22:18:02Z",
                           "2026-11-25T22:18:02+00:00", "2026-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z", "2026-11-25T24:00:00Z", "2026-11-25T22:60:00Z",
                           "2026-11-25T22:18:60Z", "1969-12-31T23:59:59Z", "2026-11-25T22:18:02.1Z",
                           "2026-11-25T22:18:0-Z", " 026-11-25T22:18:02Z"}) {
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace partywall
