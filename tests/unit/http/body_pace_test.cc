#include "http/door/body_pace.h"

#include <gtest/gtest.h>

namespace partywall::http {
namespace {

constexpr MonotonicTime at(int64_t second) { return MonotonicTime(seconds(second)); }

TEST(BodyPaceTest, BytesBuyTime) {
  BodyPace pace(seconds(30), 500);
  pace.awaited(at(0));
  EXPECT_EQ(pace.left(at(10)), seconds(20));
  pace.took(5'000);
  EXPECT_EQ(pace.left(at(10)), seconds(30));
  EXPECT_EQ(pace.left(at(60)), seconds(0));
}

TEST(BodyPaceTest, TimeInWhichTheApplicationTakesNothingIsNotTheClients) {
  BodyPace pace(seconds(30), 500);
  pace.awaited(at(0));
  pace.not_awaited(at(10));
  pace.not_awaited(at(20));
  pace.awaited(at(1'000));
  pace.awaited(at(1'005));
  EXPECT_EQ(pace.left(at(1'005)), seconds(15));
}

TEST(BodyPaceTest, WithoutARateThereIsNoBound) {
  BodyPace pace(seconds(30), 0);
  pace.awaited(at(0));
  pace.took(1);
  EXPECT_EQ(pace.left(at(100'000)), Duration::max());
}

}  // namespace
}  // namespace partywall::http
